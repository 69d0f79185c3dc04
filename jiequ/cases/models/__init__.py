"""The tables of the loop."""

from .case import STREET_FOUND, Case, CaseEvent, CaseQuerySet, Proof, Source, Task, TaskKind
from .imports import ImportIssue, IssueCase, IssueKind
from .outside import OutsideSystem, SystemKind
from .report import Rating, Report, Reporter
from .rollup import Rollup
from .types import ControlArea, DutyList, EventType, FilingCondition, TypeEdition

__all__ = [
    "STREET_FOUND",
    "Case",
    "CaseEvent",
    "CaseQuerySet",
    "ControlArea",
    "DutyList",
    "EventType",
    "FilingCondition",
    "ImportIssue",
    "IssueCase",
    "IssueKind",
    "OutsideSystem",
    "Proof",
    "Rating",
    "Report",
    "Reporter",
    "Rollup",
    "Source",
    "SystemKind",
    "Task",
    "TaskKind",
    "TypeEdition",
]
