"""Recordings that belong to a report but lie with the door it came through: who keeps them says where they are heard."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..models import Report

Lister = Callable[[Sequence[int]], dict[int, list[str]]]
_LISTERS: dict[str, Lister] = {}


def register_recordings(system: str, lister: Lister) -> None:
    """Say where recordings of reports that came by ``system`` are heard: ``lister(report_ids)`` gives addresses by report."""
    _LISTERS[system] = lister


def recordings_of(reports: Sequence[Report]) -> dict[int, list[str]]:
    """Addresses by report. One SELECT for each system with recordings that a report came by; none for all others."""
    found: dict[int, list[str]] = {}
    for system in sorted({report.system for report in reports} & set(_LISTERS)):
        found |= _LISTERS[system]([report.pk for report in reports if report.system == system])
    return found
