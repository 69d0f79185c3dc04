"""The tables of sense."""

from __future__ import annotations

from .asked import Export, PermitDraft
from .comparing import Blind, Comparison, Finding, Hint
from .desk import Calibration, Example, Net, Outline, Release
from .imagery import Asset, AssetKind, AssetState, Flight, Source, Upload
from .permits import Permit, PermitKind
from .suspects import FalseAlarm, Reflight, Said, Suspect, SuspectState, Verdict
from .ways import Camera, CameraFault, Mosaic, OdmServer

__all__ = [
    "Asset",
    "AssetKind",
    "AssetState",
    "Blind",
    "Calibration",
    "Camera",
    "CameraFault",
    "Comparison",
    "Example",
    "Export",
    "FalseAlarm",
    "Finding",
    "Flight",
    "Hint",
    "Mosaic",
    "Net",
    "OdmServer",
    "Outline",
    "Permit",
    "PermitDraft",
    "PermitKind",
    "Reflight",
    "Release",
    "Said",
    "Source",
    "Suspect",
    "SuspectState",
    "Upload",
    "Verdict",
]
