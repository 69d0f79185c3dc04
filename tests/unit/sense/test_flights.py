"""Synthetic flights tell the truth about themselves: what is said to have grown has grown in the surface model."""

from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.features import geometry_mask
from rasterio.warp import transform_geom

from jiequ.sense.engine.flights import STORIES, FlightSite, render

pytestmark = pytest.mark.filterwarnings("ignore:Use `@` matmul")  # rasterio with affine 3.1
SITE = FlightSite("P01", 114.05, 22.55, size_m=110)


def growth(flown, geometry) -> float:
    with rasterio.open(flown.before_dsm) as one, rasterio.open(flown.after_dsm) as two:
        inside = geometry_mask([transform_geom("EPSG:4326", one.crs, geometry)], one.shape, one.transform, invert=True)
        return float(np.median((two.read(1) - one.read(1))[inside]))


def test_each_story_stands_where_the_truth_says_and_is_as_high(tmp_path: Path):
    flown = render(SITE, tmp_path, seed=4)
    assert [one.kind for one in flown.truth] == list(STORIES)
    assert [one.kind for one in flown.truth if one.has_permit] == ["permitted"]
    for one in flown.truth:
        assert growth(flown, one.geometry) == pytest.approx(one.height_m, abs=1.2), one.kind
    with rasterio.open(flown.after_ortho) as ortho, rasterio.open(flown.after_dsm) as dsm:
        assert ortho.bounds == pytest.approx(dsm.bounds, abs=0.01)
        assert (ortho.count, ortho.crs.to_epsg()) == (3, 32650)


def test_a_seed_flies_the_same_again(tmp_path: Path):
    one, two, other = (render(SITE, tmp_path / name, seed=seed) for name, seed in (("a", 1), ("b", 1), ("c", 2)))
    assert one.after_ortho.read_bytes() == two.after_ortho.read_bytes()
    assert one.after_dsm.read_bytes() == two.after_dsm.read_bytes() != other.after_dsm.read_bytes()
