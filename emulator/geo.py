"""Positions: phones here know WGS-84, WeChat's messages carry GCJ-02."""

from __future__ import annotations

import prcoords


def gcj02(lat: float, lon: float) -> tuple[float, float]:
    """Latitude and longitude as WeChat, Tencent and AMap give them."""
    moved = prcoords.wgs_gcj((lat, lon), False)
    return round(float(moved[0]), 6), round(float(moved[1]), 6)
