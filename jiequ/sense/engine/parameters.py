"""What a comparison may be told: one frozen record, part of every unit's hash."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Parameters:
    """Metres and pixels of the comparison's own grid. The defaults are SENSE §2's; ``None`` means: chosen from the files."""

    resolution_m: float | None = None  # of the orthophoto path; None: the coarser of both dates, at least the net's
    dsm_resolution_m: float | None = None  # of the surface path; None: the coarser of both dates, at least 0.25 m
    tile_px: int = 512
    halo_px: int = 64
    offset_px: int = 0  # moves the tile grid; results do not depend on it (tests/unit/sense/test_seams.py)
    most_residual_px: float = 1.5  # beyond it a place "cannot be compared"
    least_response: float = 0.15  # of a phase correlation's peak: strangers reach 0.15 once in a hundred, two flights 0.35
    least_height_m: float = 1.2
    deviations: float = 4.0  # heights below so many median absolute deviations are noise
    opening_m: float = 2.0  # what is narrower than this is no structure
    least_area_m2: float = 10.0
    earthworks_height_m: float = 0.5  # mean over 20 m
    earthworks_area_m2: float = 200.0
    net_threshold: float = 0.5
