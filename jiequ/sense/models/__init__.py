"""The tables of sense."""

from __future__ import annotations

from .imagery import Asset, AssetKind, AssetState, Flight, Source, Upload

__all__ = ["Asset", "AssetKind", "AssetState", "Flight", "Source", "Upload"]
