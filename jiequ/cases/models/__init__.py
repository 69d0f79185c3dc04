"""The tables of the loop."""

from .case import STREET_FOUND, Case, CaseEvent, CaseQuerySet, Proof, Source, Task, TaskKind
from .desk import Handover, Lot, LotItem, Reading, WatchItem
from .hooks import Delivery, Webhook
from .imports import ImportIssue, IssueCase, IssueKind
from .known import TextWeights
from .outside import OutsideSystem, SystemKind
from .replies import StandardReply
from .report import Rating, Report, Reporter
from .rollup import Rollup
from .saved import SavedFilter
from .topics import Topic
from .types import ControlArea, DutyList, EventType, FilingCondition, TypeEdition

__all__ = [
    "STREET_FOUND",
    "Case",
    "CaseEvent",
    "CaseQuerySet",
    "ControlArea",
    "Delivery",
    "DutyList",
    "EventType",
    "FilingCondition",
    "Handover",
    "ImportIssue",
    "IssueCase",
    "IssueKind",
    "Lot",
    "LotItem",
    "OutsideSystem",
    "Proof",
    "Rating",
    "Reading",
    "Report",
    "Reporter",
    "Rollup",
    "SavedFilter",
    "Source",
    "StandardReply",
    "SystemKind",
    "Task",
    "TaskKind",
    "TextWeights",
    "Topic",
    "TypeEdition",
    "WatchItem",
    "Webhook",
]
