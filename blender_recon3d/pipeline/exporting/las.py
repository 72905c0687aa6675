"""LAS 1.4, the format of surveyors' clouds: point format 7, with color, and the coordinate system as text.

ASPRS, "LAS specification 1.4 - R15", 2019.
"""

from __future__ import annotations

import struct
from datetime import date
from pathlib import Path

import numpy as np

from ..files.atomic_files import atomic_file
from ..system.extra_packages import extra
from ..system.versions import engine_version

HEADER = 375  # bytes
FORMAT = 7
WKT_RECORD = 2112
WKT_BIT = 1 << 4  # of "global encoding": coordinate systems are text, as this point format wants
STEPS = (0.001, 0.0001, 1e-5, 1e-6)  # units of the coordinates, meters
POINT = np.dtype(
    [
        ("xyz", "<i4", 3), ("intensity", "<u2"), ("returns", "u1"), ("flags", "u1"), ("classification", "u1"),
        ("views", "u1"), ("angle", "<i2"), ("source", "<u2"), ("time", "<f8"), ("rgb", "<u2", 3),
    ]
)  # fmt: skip


def write_las(path: Path, xyz: np.ndarray, colors: np.ndarray, views: np.ndarray, wkt: str = "") -> None:
    """Write points xyz float64 [N, 3] with colors uint8 [N, 3]. views: of each point, stored as "user data". wkt: of
    the coordinate system, empty for none. Compressed if the path ends in .laz; UserError if the packages for that are
    not installed."""
    laspy = extra("LAZ", "export .las", "laspy", "lazrs") if path.suffix.lower() == ".laz" else None
    low, high = xyz.min(axis=0), xyz.max(axis=0)
    offset = np.floor(low)
    step = _step(high - low)
    table = np.zeros(len(xyz), POINT)
    table["xyz"] = np.round((xyz - offset) / step)
    table["returns"] = 0x11  # the first of one
    table["classification"] = 1  # processed, unclassified
    table["views"] = np.minimum(views, 255)
    table["rgb"] = colors.astype(np.uint16) * 257
    text = wkt.encode() + b"\0" if wkt else b""
    records = _record(text) if text else b""
    header = _header(len(xyz), len(records), bool(text), step, offset, low, high)
    with atomic_file(path) as part:
        with open(part, "wb") as file:
            file.write(header + records)
            table.tofile(file)
        if laspy is not None:
            cloud = laspy.read(part)
            with open(part, "wb") as file:  # with a path, laspy would go by its extension
                cloud.write(file, do_compress=True)


def _step(extent: np.ndarray) -> float:
    """The coarsest unit with a relative precision of 1e-6, among those that fit into 32 bits."""
    needed = float(extent.max()) * 1e-6
    fitting = [step for step in STEPS if extent.max() / step < 2**31 - 2]
    if not fitting:
        return float(extent.max()) / (2**31 - 2)
    return next((step for step in fitting if step <= needed), fitting[-1])


def _record(text: bytes) -> bytes:
    head = struct.pack(
        "<H16sHH32s", 0, b"LASF_Projection", WKT_RECORD, len(text), b"coordinate system as WKT"
    )
    return head + text


def _header(
    count: int,
    records: int,
    with_wkt: bool,
    step: float,
    offset: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
) -> bytes:
    today = date.today()
    bounds = [value for axis in range(3) for value in (float(high[axis]), float(low[axis]))]
    parts = [
        struct.pack("<4sHH16sBB", b"LASF", 0, WKT_BIT, bytes(16), 1, 4),
        struct.pack("<32s32s", b"Recon3D", f"Recon3D {engine_version()}".encode()[:32]),
        struct.pack("<HHHII", today.timetuple().tm_yday, today.year, HEADER, HEADER + records, int(with_wkt)),
        struct.pack("<BHI5I", FORMAT, POINT.itemsize, 0, *[0] * 5),  # the counts of earlier versions: none
        struct.pack("<3d3d6d", *[step] * 3, *offset.tolist(), *bounds),
        struct.pack("<QQIQ15Q", 0, 0, 0, count, count, *[0] * 14),
    ]
    header = b"".join(parts)
    assert len(header) == HEADER
    return header
