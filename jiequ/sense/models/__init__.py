"""The tables of sense."""

from __future__ import annotations

from .asked import Export, PermitDraft
from .comparing import Blind, Comparison, Finding, Hint
from .imagery import Asset, AssetKind, AssetState, Flight, Source, Upload
from .permits import Permit, PermitKind
from .suspects import FalseAlarm, Reflight, Said, Suspect, SuspectState, Verdict

__all__ = [
    "Asset",
    "AssetKind",
    "AssetState",
    "Blind",
    "Comparison",
    "Export",
    "FalseAlarm",
    "Finding",
    "Flight",
    "Hint",
    "Permit",
    "PermitDraft",
    "PermitKind",
    "Reflight",
    "Said",
    "Source",
    "Suspect",
    "SuspectState",
    "Upload",
    "Verdict",
]
