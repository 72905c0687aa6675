"""The readers of COLMAP models and PLY clouds return what was written, and raise one typed error for anything else."""

import itertools
from pathlib import Path

import numpy as np
import pytest

from blender_recon3d.pipeline.colmap.model_places import has_model
from blender_recon3d.pipeline.errors import FileFormatError
from blender_recon3d.scene.importing import colmap_files, ply_points
from tests.support.made_workspaces import MadeCamera, MadeModel, ring, write_binary, write_cloud, write_text

WRITERS = {"binary": write_binary, "text": write_text}


@pytest.mark.parametrize("kind", WRITERS)
def test_a_model_is_read_as_written(kind, tmp_path):
    made = ring(6, 40)
    made.cameras = {1: MadeCamera(), 7: MadeCamera("SIMPLE_RADIAL", 40, 60, (50.25, 20.0, 30.0, -0.01))}
    made.images = [(n, 7 if i % 2 else 1, q, t) for i, (n, _, q, t) in enumerate(made.images)]
    WRITERS[kind](tmp_path, made)
    model = colmap_files.read_model(tmp_path)
    assert {k: (c.model, c.width, c.height, c.params) for k, c in model.cameras.items()} == {
        k: (c.model, c.width, c.height, c.params) for k, c in made.cameras.items()
    }
    for image, (name, camera_id, q, t) in zip(model.images, made.images, strict=True):
        assert (image.name, image.camera_id) == (name, camera_id)
        assert np.allclose(image.qvec, q, atol=1e-15) and np.array_equal(image.tvec, t)
    points = colmap_files.read_points(tmp_path)
    assert np.array_equal(points.xyz, made.xyz) and np.array_equal(points.rgb, made.rgb)
    assert points.views.tolist() == [2 + i % 3 for i in range(1, 41)]


def test_every_camera_model_of_colmap_is_known(tmp_path):
    """pycolmap, where it is installed, is the authority on names, numbers and parameters."""
    pytest.importorskip("zlib")
    pycolmap = pytest.importorskip("pycolmap", reason="pycolmap is in the engine's environment only")
    for member in pycolmap.CameraModelId.__members__.values():
        if int(member) < 0:
            continue
        camera = pycolmap.Camera.create_from_model_id(1, member, 500.0, 640, 480)
        reconstruction = pycolmap.Reconstruction()
        reconstruction.add_camera(camera)
        reconstruction.write_binary(tmp_path)
        read = colmap_files.read_cameras(tmp_path / "cameras.bin")[1]
        assert (read.model, list(read.params)) == (camera.model.name, list(camera.params))
        if camera.focal_length_idxs():
            matrix = camera.calibration_matrix()
            assert read.intrinsics() == (matrix[0, 0], matrix[1, 1], matrix[0, 2], matrix[1, 2])


@pytest.mark.parametrize("kind", ["binary", "text"])
def test_what_pycolmap_writes_is_read(kind, tmp_path):
    pytest.importorskip("zlib")
    pycolmap = pytest.importorskip("pycolmap", reason="pycolmap is in the engine's environment only")
    options = pycolmap.SyntheticDatasetOptions()
    options.num_points3D = 60
    truth = pycolmap.synthesize_dataset(options)
    truth.write_binary(tmp_path) if kind == "binary" else truth.write_text(tmp_path)
    model = colmap_files.read_model(tmp_path)
    assert len(model.images) == truth.num_images()
    for image in model.images:
        pose = truth.image(image.image_id).cam_from_world()
        assert np.allclose(np.roll(pose.rotation.quat, 1), image.qvec, atol=1e-12)
        assert np.allclose(pose.translation, image.tvec, atol=1e-12)
    found = sorted(colmap_files.read_points(tmp_path).xyz.tolist())
    assert np.allclose(found, sorted(p.xyz.tolist() for p in truth.points3D.values()), atol=1e-12)


# -- PLY --------------------------------------------------------------------------------------------

HEADER = "ply\nformat {kind} 1.0\ncomment made by a test\nelement vertex {count}\n{properties}\nend_header\n"


def write_ply(path: Path, kind: str, properties: list[tuple[str, str]], rows: list[tuple]) -> Path:
    names = {"f4": "float", "f8": "double", "u1": "uchar", "u2": "ushort", "i4": "int"}
    lines = "\n".join(f"property {names[k]} {n}" for n, k in properties)
    head = HEADER.format(kind=kind, count=len(rows), properties=lines).encode()
    order = {"binary_little_endian": "<", "binary_big_endian": ">"}.get(kind)
    if order:
        body = np.array(rows, np.dtype([(n, order + k) for n, k in properties])).tobytes()
    else:
        body = "".join(" ".join(map(str, row)) + "\n" for row in rows).encode()
    path.write_bytes(head + body)
    return path


@pytest.mark.parametrize("kind", ["ascii", "binary_little_endian", "binary_big_endian"])
def test_ply_is_read_by_its_header(kind, tmp_path):
    """Any order of properties, any number type, and unused properties."""
    properties = [("blue", "u1"), ("quality", "f8"), ("z", "f8"), ("x", "f8"), ("y", "f8"), ("red", "u1"),
                  ("green", "u1"), ("views", "u1"), ("nz", "f4"), ("ny", "f4"), ("nx", "f4")]  # fmt: skip
    rows = [(3, 0.5, 30.0, 10.0, 20.0, 1, 2, 9, 1.0, 0.0, 0.0), (6, 0.5, 3.5, 1.5, 2.5, 4, 5, 255, 0, 0, 1)]
    points = ply_points.read_points(write_ply(tmp_path / "a.ply", kind, properties, rows))
    assert points.xyz.tolist() == [[10, 20, 30], [1.5, 2.5, 3.5]]
    assert points.rgb.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert points.normals.tolist() == [[0, 0, 1], [1, 0, 0]]
    assert points.views.tolist() == [9, 255]


def test_ply_with_coordinates_only(tmp_path):
    properties = [("x", "f4"), ("y", "f4"), ("z", "f4")]
    points = ply_points.read_points(write_ply(tmp_path / "a.ply", "ascii", properties, [(1, 2, 3)]))
    assert points.xyz.tolist() == [[1, 2, 3]] and (points.rgb, points.normals, points.views) == (None,) * 3


def test_ply_colors_as_floats_and_shorts(tmp_path):
    place = [("x", "f4"), ("y", "f4"), ("z", "f4")]
    floats = write_ply(
        tmp_path / "f.ply", "ascii", [*place, ("r", "f4"), ("g", "f4"), ("b", "f4")], [(0, 0, 0, 0, 0.5, 2)]
    )
    assert ply_points.read_points(floats).rgb.tolist() == [[0, 128, 255]]
    shorts = write_ply(
        tmp_path / "s.ply",
        "binary_little_endian",
        [*place, ("red", "u2"), ("green", "u2"), ("blue", "u2")],
        [(0, 0, 0, 0, 32896, 65535)],
    )
    assert ply_points.read_points(shorts).rgb.tolist() == [[0, 128, 255]]


def test_points_that_are_not_numbers_are_left_out(tmp_path):
    xyz = np.array([[0, 0, 0], [np.nan, 0, 0], [1, np.inf, 0], [1, 2, 3]], np.float32)
    write_cloud(tmp_path / "a.ply", xyz, np.arange(12).reshape(4, 3), views=[1, 2, 3, 4])
    points = ply_points.read_points(tmp_path / "a.ply")
    assert points.xyz.tolist() == [[0, 0, 0], [1, 2, 3]]
    assert points.rgb.tolist() == [[0, 1, 2], [9, 10, 11]] and points.views.tolist() == [1, 4]


PROPERTIES = "property float x\nproperty float y\nproperty float z"
BAD_PLY = {
    "empty": b"",
    "not a PLY": b"\x89PNG\r\n\x1a\n" * 10,
    "header without end": b"ply\nformat ascii 1.0\n",
    "endless header": b"ply\nformat ascii 1.0\n" + b"comment x\n" * 20000,
    "unknown format": HEADER.format(kind="binary_middle_endian", count=0, properties=PROPERTIES).encode(),
    "no vertices": b"ply\nformat ascii 1.0\nelement face 0\nend_header\n",
    "no coordinates": HEADER.format(kind="ascii", count=1, properties="property float q").encode() + b"1\n",
    "no properties": HEADER.format(kind="ascii", count=1, properties="").encode() + b"1\n",
    "unknown type": HEADER.format(kind="ascii", count=1, properties="property quad x").encode() + b"1\n",
    "twice the same": HEADER.format(
        kind="ascii", count=1, properties=PROPERTIES + "\n" + PROPERTIES
    ).encode(),
    "huge count": HEADER.format(kind="binary_little_endian", count=10**15, properties=PROPERTIES).encode(),
    "huge count in ascii": HEADER.format(kind="ascii", count=10**15, properties=PROPERTIES).encode(),
    "negative count": HEADER.format(kind="ascii", count=-1, properties=PROPERTIES).encode(),
    "words for numbers": HEADER.format(kind="ascii", count=1, properties=PROPERTIES).encode() + b"a b c\n",
    "too few lines": HEADER.format(kind="ascii", count=2, properties=PROPERTIES).encode()
    + b"1.00000 2 3.0000\n",
    "list in vertices": HEADER.format(
        kind="ascii", count=1, properties=PROPERTIES + "\nproperty list uchar int i"
    ).encode()
    + b"1 2 3 0\n",
}


@pytest.mark.parametrize("what", BAD_PLY)
def test_a_bad_ply_is_one_message(what, tmp_path):
    path = tmp_path / "bad.ply"
    path.write_bytes(BAD_PLY[what])
    with pytest.raises(FileFormatError) as caught:
        ply_points.read_points(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


# -- hostile files ----------------------------------------------------------------------------------


def read_all(folder: Path) -> int:
    """How many readers take the files. Any exception other than FileFormatError fails the test."""
    read_well = 0
    for read in (
        lambda: colmap_files.read_model(folder),
        lambda: colmap_files.read_points(folder),
        lambda: ply_points.read_points(folder / "fusion.ply"),
    ):
        try:
            read()
            read_well += 1
        except FileFormatError as error:
            assert "\n" not in str(error)
    return read_well


def make_files(folder: Path, kind: str) -> list[Path]:
    made = ring(4, 12)
    WRITERS[kind](folder, made)
    if kind == "binary":
        write_cloud(folder / "fusion.ply", made.xyz, made.rgb)
    else:
        properties = [("x", "f4"), ("y", "f4"), ("z", "f4"), ("red", "u1"), ("green", "u1"), ("blue", "u1")]
        write_ply(folder / "fusion.ply", "ascii", properties, [(0.5, 1.5, 2.5, 9, 8, 7)] * 12)
    return sorted(p for p in folder.iterdir())


@pytest.mark.parametrize("kind", WRITERS)
def test_files_cut_at_any_length(kind, tmp_path):
    """They are read or refused with one message; nothing else is raised."""
    refused = 0
    for path in make_files(tmp_path, kind):
        whole = path.read_bytes()
        for length in itertools.chain(range(0, min(len(whole), 250)), range(250, len(whole), 53)):
            path.write_bytes(whole[:length])
            refused += read_all(tmp_path) < 3
        path.write_bytes(whole)
    assert read_all(tmp_path) == 3 and refused > 100


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("kind", WRITERS)
def test_files_with_flipped_bits_and_wild_bytes(kind, tmp_path):
    """They are read or refused with one message; nothing else is raised."""
    rng = np.random.default_rng(0)
    for path in make_files(tmp_path, kind):
        whole = path.read_bytes()
        for trial in range(200):
            data = bytearray(whole)
            at = int(rng.integers(len(data))) if trial % 2 else int(rng.integers(min(len(data), 200)))
            if trial % 3:
                data[at] ^= 1 << int(rng.integers(8))
            else:
                data[at : at + 8] = rng.integers(0, 256, 8, dtype=np.uint8).tobytes()
            path.write_bytes(bytes(data))
            read_all(tmp_path)
        path.write_bytes(whole)
    assert read_all(tmp_path) == 3


@pytest.mark.parametrize("stem", ["cameras", "images", "points3D"])
def test_a_huge_count_allocates_no_memory(stem, tmp_path):
    """2^60 records would need more memory than there is; the file's size shows that they cannot exist."""
    write_binary(tmp_path, ring(3, 5))
    path = tmp_path / f"{stem}.bin"
    path.write_bytes((2**60).to_bytes(8, "little") + path.read_bytes()[8:])
    with pytest.raises(FileFormatError, match="ends early"):
        colmap_files.read_points(tmp_path) if stem == "points3D" else colmap_files.read_model(tmp_path)


def test_a_model_whose_files_do_not_fit_together(tmp_path):
    made = ring(3, 5)
    made.images[0] = (made.images[0][0], 99, *made.images[0][2:])
    write_binary(tmp_path, made)
    with pytest.raises(FileFormatError, match="names camera 99"):
        colmap_files.read_model(tmp_path)


def test_a_folder_without_a_model(tmp_path):
    with pytest.raises(FileFormatError, match="has no cameras"):
        colmap_files.read_model(tmp_path)
    assert not has_model(tmp_path)


def test_an_empty_model_is_read(tmp_path):
    write_binary(tmp_path, MadeModel({}))
    model = colmap_files.read_model(tmp_path)
    assert (model.cameras, model.images) == ({}, ())
    assert len(colmap_files.read_points(tmp_path).xyz) == 0
