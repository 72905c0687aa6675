"""Which way is up if the cameras' axes are not decisive, and how reliable GPS is. Cameras and points are synthetic."""

from __future__ import annotations

import struct
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from blender_recon3d.pipeline.documents.photos_json import PhotoEntry, PhotoState
from blender_recon3d.pipeline.photos.exif import read_exif
from blender_recon3d.pipeline.placing.gps import at_zero, fix_from_gps, fix_in_space, places_by_name
from blender_recon3d.pipeline.placing.placing_doubts import gps_doubts
from blender_recon3d.pipeline.placing.up import Up, find_up
from blender_recon3d.pipeline.placing.upright import world_from_model
from tests.support.scenes import look_at

HOME = np.array([48.137, 11.575, 520.0])
EAST, NORTH = 0.0, np.pi / 2  # headings in the plane
TOP = np.array([0, 0, 1.0])  # of the synthetic world; models are rotated against it
MODEL = np.linalg.qr(np.random.default_rng(5).normal(size=(3, 3)))[0]
MODEL *= np.sign(np.linalg.det(MODEL))  # world to model


def flight(headings: list[float], seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rotations, centers and ground of a survey from 60 m straight down, one heading per row, in the model's frame."""
    generator = np.random.default_rng(seed)
    rotations, centers = [], []
    for row, heading in enumerate(headings):
        for column in range(6):
            yaw, nod, roll = heading + generator.normal(0, 0.03), *generator.normal(0, 0.02, 2)
            forward = np.array([np.cos(yaw), np.sin(yaw), 0])
            down = -forward + nod * TOP
            right = np.cross(down, -TOP) + roll * TOP
            left, _, turned_back = np.linalg.svd(np.stack([right, down, -TOP]))
            rotations.append(left @ turned_back)
            centers.append(np.array([15 * column, 20 * row, 60.0]) + generator.normal(0, 0.5, 3))
    ground = np.column_stack([generator.uniform(-30, 110, (4000, 2)), generator.normal(0, 0.3, 4000)])
    houses = generator.uniform([-30, -30, 0], [110, 110, 12], (800, 3))
    points = np.concatenate([ground, houses])
    return np.stack(rotations) @ MODEL.T, np.array(centers) @ MODEL.T, points @ MODEL.T


def gps_of(centers: np.ndarray, noise: float, seed: int = 0) -> np.ndarray:
    meters = centers @ MODEL + np.random.default_rng(seed).normal(0, noise, centers.shape)
    degrees = meters[:, 1::-1] / (111_200, 111_320 * np.cos(np.radians(HOME[0])))
    return np.column_stack([HOME[:2] + degrees, HOME[2] + meters[:, 2]])


def degrees_off(up: np.ndarray) -> float:
    return float(np.degrees(np.arccos(np.clip(up @ MODEL @ TOP, -1, 1))))


FLIGHTS = {
    "to and fro": [EAST, EAST + np.pi] * 2,
    "one heading": [EAST] * 4,
    "crosswise": [EAST, NORTH, EAST + np.pi, NORTH + np.pi],
    "turned strips": [EAST, EAST + np.pi, NORTH, EAST],
    "one strip": [EAST],
}


@pytest.mark.parametrize("way", FLIGHTS)
def test_a_flight_straight_down_lies_on_its_ground(way):
    for seed in range(4):
        rotations, centers, points = flight(FLIGHTS[way], seed)
        transform, how, _ = world_from_model(rotations, centers, points)
        assert degrees_off(transform[2, :3]) < 4, (seed, how)


def test_one_heading_without_gps_is_called_a_guess_and_gps_decides():
    rotations, centers, points = flight(FLIGHTS["one heading"], 0)
    assert find_up(rotations, centers, points).guess
    up = find_up(rotations, centers, points, gps_of(centers, 2.0))
    assert not up.guess and "GPS" in up.source and degrees_off(up.direction) < 4


def test_gravity_in_the_files_decides_what_the_cameras_leave_open():
    rotations, centers, points = flight(FLIGHTS["one heading"], 0)
    felt = rotations @ MODEL @ TOP
    felt[::7] = -felt[::7]  # a wrong file is ignored
    felt[1] = np.nan
    up = find_up(rotations, centers, points, felt=felt)
    assert not up.guess and "gravity" in up.source and degrees_off(up.direction) < 0.5


def test_gravity_that_good_gps_contradicts_is_ignored():
    """A camera on a fixed mount whose gimbal always reports that it is level."""
    rotations, centers, points = flight(FLIGHTS["to and fro"], 0)
    level = np.tile([0.0, -1.0, 0.0], (len(centers), 1))
    up = find_up(rotations, centers, points, gps_of(centers, 1.0), level)
    assert degrees_off(up.direction) < 4


def apple_note(felt: tuple[float, float, float]) -> bytes:
    """An iPhone's maker note with a run time before the accelerometer."""
    numbers = struct.pack(">6i", *(part for value in felt for part in (round(value * 10_000), 10_000)))
    entries = [(1, 9, 1, 14), (8, 10, 3, 14 + 2 + 2 * 12 + 4)]
    table = b"".join(struct.pack(">HHII", *entry) for entry in entries)
    return b"Apple iOS\0\0\1MM" + struct.pack(">H", 2) + table + bytes(4) + numbers


@pytest.mark.parametrize(
    ("orientation", "felt", "up"),
    [
        (6, (0, -1, 0), (0, -1, 0)),  # upright, level
        (1, (-1, 0, 0), (0, -1, 0)),  # its upper end to the left, as held for a landscape photo
        (3, (1, 0, 0), (0, -1, 0)),
        (8, (0, 1, 0), (0, -1, 0)),
        (6, (0, 0, -1), (0, 0, -1)),  # on its back, the screen up: the camera looks straight down
        (1, (-0.6, 0, 0.8), (0, -0.6, 0.8)),  # looks up
    ],
)
def test_an_iphones_accelerometer_is_read(tmp_path, orientation, felt, up):
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif.get_ifd(0x8769)[0x927C] = apple_note(felt)
    Image.new("RGB", (40, 30)).save(tmp_path / "a.jpg", exif=exif)
    with Image.open(tmp_path / "a.jpg") as image:
        assert read_exif(image).up == pytest.approx(up, abs=1e-6)


@pytest.mark.parametrize(
    "said",
    [
        b'drone-dji:GimbalRollDegree="+0.00" drone-dji:GimbalPitchDegree="-90.00"',
        b"<drone-parrot:CameraPitchDegree>-90</drone-parrot:CameraPitchDegree>",
    ],
)
def test_the_angle_of_a_gimbal_that_looks_down_is_read(tmp_path, said):
    Image.new("RGB", (40, 30)).save(tmp_path / "a.jpg", xmp=b"<x:xmpmeta " + said + b"/>")
    with Image.open(tmp_path / "a.jpg") as image:
        assert read_exif(image).up == pytest.approx((0, 0, -1), abs=1e-6)


def test_level_photos_all_of_one_wall_stay_upright():
    poses = [look_at(np.array([x, 0, -4.0]), np.array([x, 0.0, 0])) for x in np.linspace(-3, 3, 8)]
    rotations = np.stack(poses)[:, :, :3]
    centers = np.stack([-pose[:, :3].T @ pose[:, 3] for pose in poses])
    wall = np.random.default_rng(0).uniform([-5, -2, -0.02], [5, 2, 0.02], (3000, 3))
    up = find_up(rotations, centers, wall)
    assert up.direction @ [0, -1, 0] > 0.99 and up.guess


def turned(poses: list[np.ndarray], degrees: float) -> np.ndarray:
    """Every second camera turned about its view."""
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    return np.stack([turn @ pose[:, :3] if number % 2 else pose[:, :3] for number, pose in enumerate(poses)])


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_every_second_photo_turned_in_the_plane(degrees):
    angles = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    poses = [look_at(np.array([3 * np.cos(a), -1.5, 3 * np.sin(a)]), np.zeros(3)) for a in angles]
    centers = np.stack([-pose[:, :3].T @ pose[:, 3] for pose in poses])
    generator = np.random.default_rng(0)
    ground = generator.uniform([-3, 0.5, -3], [3, 0.51, 3], (2000, 3))
    points = np.concatenate([ground, generator.uniform(-0.5, 0.5, (1000, 3))])
    transform, how, _ = world_from_model(turned(poses, degrees), centers, points)
    assert transform[2, :3] @ [0, -1, 0] > 0.999, how


def test_gps_far_off_in_a_third_of_the_photos_is_ignored():
    rotations, centers, points = flight(FLIGHTS["to and fro"], 1)
    gps = gps_of(centers, 0.8)
    gps[::3, :2] += np.random.default_rng(2).uniform(-0.5, 0.5, (8, 2))
    fix = fix_in_space(centers, gps)
    assert degrees_off(fix.up) < 2 and not fix.used[::3].any()
    transform, _, _ = world_from_model(rotations, centers, points, gps)
    places = centers @ transform[:3, :3].T
    assert fix_from_gps(places[:, :2], gps).scale == pytest.approx(1, rel=0.02)


def stuck(gps: np.ndarray, count: int) -> np.ndarray:
    """A phone that repeats its last fix until the next one."""
    gps[:count] = gps[0]
    return gps


GPS_THAT_SAYS_NOTHING = {
    "one fix for all": lambda gps: stuck(gps, len(gps)),
    "one fix for most": lambda gps: stuck(gps, 20),
    "in steps of 100 m": lambda gps: np.column_stack([gps[:, :2].round(3), gps[:, 2]]),
    "without the letter of west": lambda gps: gps * [1, -1, 1],
}


@pytest.mark.parametrize("what", GPS_THAT_SAYS_NOTHING)
def test_meaningless_gps_does_not_turn_a_flight(what):
    rotations, centers, points = flight(FLIGHTS["to and fro"], 0)
    up = find_up(rotations, centers, points, GPS_THAT_SAYS_NOTHING[what](gps_of(centers, 1.0)))
    assert "GPS" not in up.source and degrees_off(up.direction) < 4


def test_heights_missing_in_some_photos_are_not_zero():
    place = {"name": "", "source": "", "state": PhotoState.USED}
    said = [
        (-17.0, 179.9999, 500.0),
        (-17.0, -179.9999, 510.0),
        (-17.0, 179.9998, 505.0),
        (-17.0, 179.9997, 502.0),
    ]
    photos = [
        PhotoEntry(**{**place, "name": str(n)}, gps=gps) for n, gps in enumerate([*said, (-17.0, 180.0, 0.0)])
    ]
    places = np.array(list(places_by_name(photos).values()))
    assert np.isnan(places[:, 2]).tolist() == [False] * 4 + [True]
    assert np.ptp(places[:, 1]) < 0.001  # across the 180th meridian
    low = [replace(photo, gps=(*photo.gps[:2], 0.0)) for photo in photos[1:]]
    assert not np.array(list(places_by_name([photos[0], *low]).values()))[:, 2].any()


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        (
            {1: "S", 2: (48.0, 6.0, 36.0), 3: "W", 4: (11.0, 30.0, 0.0), 5: b"\1", 6: 400.0},
            (-48.11, -11.5, -400.0),
        ),
        ({1: "south", 2: (48.0, 6.6), 3: b"w\0", 4: (11.0, 30.0), 6: 400.0}, (-48.11, -11.5, 400.0)),
        ({1: "N", 2: 48.11, 3: "E", 4: 11.5}, (48.11, 11.5, 0.0)),
        (
            {1: "N", 2: (48.0, 6.0, 36.0), 3: "E", 4: (11.0, 30.0, 0.0), 6: IFDRational(0, 0)},
            (48.11, 11.5, 0.0),
        ),
        ({1: "N", 2: (IFDRational(0, 0),) * 3, 3: "E", 4: (11.0, 30.0, 0.0)}, None),
    ],
)
def test_gps_is_read_as_programs_write_it(tmp_path, tags, expected):
    exif = Image.Exif()
    exif.get_ifd(0x8825).update(tags)
    Image.new("RGB", (8, 8)).save(tmp_path / "a.jpg", exif=exif)
    with Image.open(tmp_path / "a.jpg") as image:
        found = read_exif(image).gps
    assert found is None if expected is None else found == pytest.approx(expected, abs=1e-4)


def test_zero_zero_is_not_a_position():
    photo = PhotoEntry(source="a.jpg", state=PhotoState.USED)
    assert at_zero(replace(photo, gps=(0.0, 0.0, 0.0)))
    assert not at_zero(replace(photo, gps=(0.0, 11.5, 3.0))) and not at_zero(photo)


def test_cameras_that_gps_contradicts_are_doubted():
    _, centers, _ = flight(FLIGHTS["to and fro"], 1)
    names = [f"{number}.jpg" for number in range(len(centers))]
    gps = gps_of(centers, 1.0)
    assert gps_doubts(fix_in_space(centers, gps), names) == []
    wrong = centers + np.random.default_rng(0).normal(0, 30, centers.shape)
    assert "likely wrong" in gps_doubts(fix_in_space(wrong, gps), names)[0].text
    gps[4, 0] += 0.002  # 220 m
    assert gps_doubts(fix_in_space(centers, gps), names)[0].photos == ("4.jpg",)


def test_good_gps_corrects_cameras_mounted_on_their_side():
    """Cameras mounted on their side, all around: their axes agree on a wrong up direction."""
    angles = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    poses = [look_at(np.array([40 * np.cos(a), 0, 40 * np.sin(a)]), np.zeros(3)) for a in angles]
    centers = np.stack([-pose[:, :3].T @ pose[:, 3] for pose in poses])
    quarter = np.array([[0, -1, 0], [1, 0, 0], [0, 0, 1.0]])
    rotations = np.stack([quarter @ pose[:, :3] for pose in poses])
    world = centers @ np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]]) @ MODEL.T  # x east, z north: y is down
    up: Up = find_up(rotations, centers, np.zeros((0, 3)), gps_of(world, 1.0))
    assert up.direction @ [0, -1, 0] > 0.99
