"""Where a photo looks on the ground: a pinhole camera over a plane. Local metres: x east, y north, z up from the ground.

The camera's axes at yaw 0, pitch −90°: right is east, the top of the picture is north, it looks down. Pitch, yaw and roll are
DJI's gimbal angles (yaw clockwise from north, pitch −90° straight down, roll about the line of sight).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.warp import transform as transform_coordinates

from jiequ.sense.engine.areas import DEGREES, utm
from jiequ.sense.engine.shapes import Geometry, Pose, Unusable

HORIZON = -0.17  # the least share of a ray that points down (10° under the horizon)


def rays(pose: Pose) -> NDArray[np.float64]:
    """(3, 3): columns are where the picture's right, its bottom and the line of sight point, in east, north, up."""
    yaw, pitch, roll = (math.radians(one) for one in (pose.yaw, pose.pitch, pose.roll))
    forward = np.array([math.sin(yaw) * math.cos(pitch), math.cos(yaw) * math.cos(pitch), math.sin(pitch)])
    right = np.array([math.cos(yaw), -math.sin(yaw), 0.0])
    down = np.cross(forward, right)
    turned_right = right * math.cos(roll) + down * math.sin(roll)
    turned_down = down * math.cos(roll) - right * math.sin(roll)
    return np.column_stack([turned_right, turned_down, forward])


def ground_homography(pose: Pose, width: int, height: int) -> NDArray[np.float64]:
    """3 × 3: a pixel of the photo (x right, y down, corners at whole numbers) → metres east and north of the camera's foot."""
    turn = rays(pose)
    inward = np.array([[1, 0, -width / 2], [0, 1, -height / 2], [0, 0, pose.focal_px]])
    directions = turn @ inward  # of the ray through (x, y, 1)
    return np.stack([directions[0] * pose.above_ground_m, directions[1] * pose.above_ground_m, -directions[2]])


def corners_m(pose: Pose, width: int, height: int) -> NDArray[np.float64]:
    """(4, 2) metres east and north of the foot: the photo's corners on the ground. Unusable: pitch, where one sees the sky."""
    points = np.array([[0, 0, 1], [width, 0, 1], [width, height, 1], [0, height, 1]], float).T
    turn = rays(pose)
    rays_there = turn @ (np.array([[1, 0, -width / 2], [0, 1, -height / 2], [0, 0, pose.focal_px]]) @ points)
    if (rays_there[2] / np.linalg.norm(rays_there, axis=0) > HORIZON).any():
        raise Unusable("pitch", pitch=pose.pitch)
    found = ground_homography(pose, width, height) @ points
    return np.asarray((found[:2] / found[2]).T)


def gsd_m(pose: Pose) -> float:
    """The size of a pixel on the ground below the middle of a nadir photo, in metres."""
    return pose.above_ground_m / (pose.focal_px * math.sin(math.radians(-pose.pitch)) ** 2)


def foot(pose: Pose) -> tuple[CRS, float, float]:
    """(UTM, x, y) of the point below the camera."""
    crs = utm(pose.lon, pose.lat)
    (x,), (y,) = transform_coordinates(DEGREES, crs, [pose.lon], [pose.lat])
    return crs, float(x), float(y)


def convergence(pose: Pose) -> float:
    """Grid north against true north at a place, in radians (Snyder 1987, eq. 8-13): what a yaw must be turned by in UTM."""
    middle = (min(60, int((pose.lon + 180) // 6) + 1) - 1) * 6 - 177
    return math.atan(math.tan(math.radians(pose.lon - middle)) * math.sin(math.radians(pose.lat)))


def to_utm(pose: Pose, local: NDArray[Any]) -> NDArray[np.float64]:
    """(n, 2) metres true east and north of the foot → UTM."""
    _, x, y = foot(pose)
    angle = convergence(pose)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    return np.asarray(local @ turn.T + (x, y))


def footprint(pose: Pose, width: int, height: int) -> Geometry:
    """The photo's outline on flat ground, GeoJSON in WGS-84. Unusable: pitch."""
    crs, _, _ = foot(pose)
    there = to_utm(pose, corners_m(pose, width, height))
    lons, lats = transform_coordinates(crs, DEGREES, there[:, 0].tolist(), there[:, 1].tolist())
    ring = [[round(lon, 9), round(lat, 9)] for lon, lat in zip(lons, lats, strict=True)]
    return {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}
