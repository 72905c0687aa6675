"""The up axis of a reconstruction: from its cameras, gravity, GPS, or dominant plane, in this order of precision.

Cameras are held level: their x axes are horizontal. That determines a line if they look in several directions; the
photos' own up, GPS or the plane below the cameras then decide which of its two ends is up. If all photos look in one
direction (a flight looking straight down, a wall), even the line is undetermined. numpy only; everything is in the
model's frame.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .gps import SpaceFix, fix_in_space
from .ground import WIDEST_CONE, ground_plane

NARROWEST_CONE = 2.0  # degrees; how level people hold a camera
ONE_WAY = 0.05  # spread of the x axes below which they span no plane: less than 13 degrees between the views
ROLLED = 0.2  # RMS of x axes along "up" from which some photos may be rotated by 90 degrees
AGREE = 0.5  # sum of the photos' own ups relative to the sum of absolute values; lower means contradictory
STEEP = 0.5  # component of the view directions along the line from which they look down rather than sideways
FELT = 10.0  # degrees between most photos' gravity and its mean
FELT_APART = 12.0  # degrees between gravity and the cameras' own line from which gravity is preferred
MIN_FELT = 3  # photos that must have it, and half of all
GPS_CONE = 15.0  # max uncertainty in degrees of up from GPS
COARSE = 0.4  # max error of GPS relative to the photos' reach for determining up
SKYWARD = 0.8  # upward component of the mean view beyond which all photos would look straight up
GPS_APART = 20.0  # degrees between GPS' up and the cameras' from which GPS is preferred
SURVEY = (
    0.5  # motion along the photos' y relative to x: someone walking along a wall hardly moves up and down
)
FACING = 30.0  # max degrees between a plane's normal and the view for facing it
GROUND_CONE = 50.0  # degrees between the ground's normal and the photos' own up


@dataclass(frozen=True)
class Up:
    """direction: unit [3]. cone: uncertainty in degrees. source: where it comes from, to follow "up from". guess: it is
    not based on any measurement."""

    direction: np.ndarray
    cone: float
    source: str
    guess: bool = False


def find_up(
    rotations: np.ndarray,
    centers: np.ndarray,
    points: np.ndarray,
    gps: np.ndarray | None = None,
    felt: np.ndarray | None = None,
) -> Up:
    """rotations [N, 3, 3] world to camera (x right, y down, z forward), centers [N, 3], points [M, 3]; gps [N, 3]:
    latitude, longitude (degrees) and height (meters); felt [N, 3]: up in each camera, by gravity. NaN if a photo has
    none."""
    fix = fix_in_space(centers, gps) if gps is not None else None
    if fix is not None and not _tells_up(fix, rotations):
        fix = None
    axis, cone = _level_axis(rotations)
    gravity = _gravity(rotations, felt) if felt is not None else None
    if gravity is not None and (
        fix is None or _near(gravity.direction, fix.up, max(GPS_APART, 3 * fix.up_error))
    ):
        if axis is None or not _near(np.sign(axis @ gravity.direction) * axis, gravity.direction, FELT_APART):
            return gravity
        return Up(axis * np.sign(axis @ gravity.direction), cone, "the cameras")
    if axis is None:
        return _from_gps(fix) if fix is not None else _looking_one_way(rotations, centers, points)
    if fix is not None:
        signed = axis * (np.sign(axis @ fix.up) or 1.0)
        if not _near(signed, fix.up, max(GPS_APART, 3 * fix.up_error)):
            return _from_gps(fix)
        return Up(signed, cone, "the cameras")
    return _signed(axis, cone, rotations, centers, points)


def _tells_up(fix: SpaceFix, rotations: np.ndarray) -> bool:
    """False if GPS is too coarse for the capture, or if all photos would look at the sky: if the W or S is lost, GPS is
    mirrored and a survey is upside down."""
    coarse = float(np.nanmedian(fix.errors)) > COARSE * fix.reach
    return fix.up_error <= GPS_CONE and not coarse and float(rotations[:, 2].mean(axis=0) @ fix.up) < SKYWARD


def _near(first: np.ndarray, second: np.ndarray, degrees: float) -> bool:
    """Whether two unit vectors are at most that many degrees apart."""
    return bool(first @ second > np.cos(np.radians(degrees)))


def _gravity(rotations: np.ndarray, felt: np.ndarray) -> Up | None:
    """The up that most photos agree on; None if too few have gravity, or they contradict each other."""
    known = np.isfinite(felt).all(axis=1)
    if known.sum() < max(MIN_FELT, len(felt) / 2):
        return None
    ups = np.einsum("nij,ni->nj", rotations[known], felt[known])
    within = np.cos(np.radians(FELT))
    middle = ups[int(np.argmax((ups @ ups.T > within).sum(axis=1)))]
    agree = ups @ middle > within
    if 2 * agree.sum() <= known.sum():
        return None
    mean = ups[agree].mean(axis=0)
    return Up(mean / np.linalg.norm(mean), FELT, "gravity, as the photos' files have it")


def _from_gps(fix: SpaceFix) -> Up:
    return Up(fix.up, float(np.clip(4 * fix.up_error, NARROWEST_CONE, WIDEST_CONE)), "the photos' GPS")


def _level_axis(rotations: np.ndarray) -> tuple[np.ndarray | None, float]:
    """The line perpendicular to all x axes, and its uncertainty in degrees; None if they span no plane."""
    right = rotations[:, 0]
    values, vectors = np.linalg.eigh(right.T @ right / len(right))
    axis = vectors[:, 0]
    if np.sqrt(np.mean((right @ axis) ** 2)) > ROLLED:
        turned = _axis_of_turned(rotations)
        if turned is not None:
            return turned
    if values[1] - values[0] < ONE_WAY:
        return None, WIDEST_CONE
    return axis, float(np.clip(4 * np.degrees(np.std(right @ axis)), NARROWEST_CONE, WIDEST_CONE))


def _axis_of_turned(rotations: np.ndarray) -> tuple[np.ndarray, float] | None:
    """The same if some photos are rotated by 90 degrees, so that their y axes are level instead."""
    sides = np.concatenate([rotations[:, 0], rotations[:, 1]])
    generator = np.random.default_rng(0)
    first, second = generator.integers(0, len(sides), (2, 600))
    tried = np.cross(sides[first], sides[second])
    lengths = np.linalg.norm(tried, axis=1)
    tried = tried[lengths > 0.3] / lengths[lengths > 0.3, None]
    if not len(tried):
        return None
    off = np.minimum(np.abs(rotations[:, 0] @ tried.T), np.abs(rotations[:, 1] @ tried.T))  # [N, trials]
    axis = tried[int(np.argmin(np.mean(np.minimum(off, ROLLED) ** 2, axis=0)))]
    for _ in range(3):
        across = np.abs(rotations[:, 0] @ axis) > np.abs(rotations[:, 1] @ axis)
        level = np.where(across[:, None], rotations[:, 1], rotations[:, 0])
        values, vectors = np.linalg.eigh(level.T @ level / len(level))
        axis = vectors[:, 0]
    off = level @ axis
    if values[1] - values[0] < ONE_WAY or np.sqrt(np.mean(off**2)) > ROLLED / 2:
        return None
    return axis, float(np.clip(4 * np.degrees(np.std(off)), NARROWEST_CONE, WIDEST_CONE))


def _signed(
    axis: np.ndarray, cone: float, rotations: np.ndarray, centers: np.ndarray, points: np.ndarray
) -> Up:
    """Which end of the line is up: by the photos' own up, else opposite to where they look down, else above a plane."""
    upright = np.abs(rotations[:, 0] @ axis) <= np.abs(rotations[:, 1] @ axis)
    own = -(rotations[:, 1] @ axis)[upright]
    view = float((rotations[:, 2] @ axis).mean())
    strength = float(np.abs(own).mean()) if len(own) else 0.0
    if strength > 0.2 and abs(own.mean()) > AGREE * strength:
        return Up(axis * np.sign(own.mean()), cone, "the cameras")
    if abs(view) > STEEP:
        return Up(-axis * np.sign(view), cone, "the cameras, which look down")
    above = [end for end in (axis, -axis) if ground_plane(points, centers, end, cone) is not None]
    if len(above) == 1:
        return Up(above[0], cone, "the cameras, with the dominant plane below them")
    return Up(-axis * (np.sign(view) or 1.0), cone, "the cameras, which contradict each other", guess=True)


def _looking_one_way(rotations: np.ndarray, centers: np.ndarray, points: np.ndarray) -> Up:
    """Up for photos that all look in one direction: down at the ground, or along it."""
    right, own, view = rotations[:, 0], -rotations[:, 1], rotations[:, 2].mean(axis=0)
    across = np.linalg.eigh(right.T @ right)[1][:, 2]  # the line of their x axes
    mean = own.mean(axis=0)
    own_up = mean - across * (across @ mean)
    flat = own[0] - across * (across @ own[0])
    along = float(np.std(centers @ (flat / (np.linalg.norm(flat) or 1.0))))
    surveyed = along > SURVEY * float(np.std(centers @ across))
    straight = np.linalg.norm(view) > 0.8
    if straight and surveyed and np.linalg.norm(own_up) < AGREE:
        return Up(-view / np.linalg.norm(view), WIDEST_CONE, "the cameras, which look straight down")
    length = np.linalg.norm(own_up)
    up = own_up / length if length > 1e-9 else np.array([0.0, -1.0, 0.0])
    if straight and surveyed:
        facing = ground_plane(points, centers, -view / np.linalg.norm(view), FACING)
        if facing is not None:
            return Up(facing[0], WIDEST_CONE, "the plane that all photos look straight at", guess=True)
    ground = ground_plane(points, centers, up, GROUND_CONE)
    if ground is not None:
        return Up(ground[0], WIDEST_CONE, "the dominant plane, with the cameras above it")
    return Up(up, WIDEST_CONE, "the photos' own up, since they all look one way", guess=True)
