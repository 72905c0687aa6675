"""Features of other programs' files that ours lack: written here as those programs do, according to their formats."""

import json
import xml.etree.ElementTree as ElementTree
from dataclasses import replace

import cv2
import numpy as np
import pytest

from blender_recon3d.pipeline.alignments.camera_alignment import Alignment
from blender_recon3d.pipeline.alignments.camera_writers import WRITERS
from blender_recon3d.pipeline.alignments.lenses import equisolid
from blender_recon3d.pipeline.alignments.photo_names import PhotoNames
from blender_recon3d.pipeline.alignments.read_alignment import read_alignment
from blender_recon3d.pipeline.documents.photos_json import PhotoEntry
from blender_recon3d.pipeline.errors import FileFormatError
from tests.pipeline.alignments.test_round_trips import LENSES, SIZE, an_alignment, errors, projected


def same_shape(found: Alignment, truth: Alignment) -> float:
    """The scale from truth to result, if the cameras differ by a similarity; distances agree to a millionth."""

    def centers(each: Alignment) -> np.ndarray:
        photos = sorted(each.photos, key=lambda photo: photo.name)
        return np.array([-p.cam_from_world[:, :3].T @ p.cam_from_world[:, 3] for p in photos])

    ours, theirs = (np.linalg.norm(np.diff(centers(each), axis=0), axis=1) for each in (found, truth))
    assert np.allclose(ours / theirs, ours[0] / theirs[0], rtol=1e-6)
    return float(ours[0] / theirs[0])


# -- Metashape --------------------------------------------------------------------------------------------------------


@pytest.fixture
def metashape(tmp_path):
    """A function that writes cameras.xml with a change to its tree and reads it; and the ground truth."""
    truth = an_alignment("OPENCV")
    WRITERS["metashape"](tmp_path / "cameras.xml", truth)

    def read(change) -> Alignment:
        tree = ElementTree.parse(tmp_path / "cameras.xml")
        change(tree.getroot())
        tree.write(tmp_path / "changed.xml")
        return read_alignment(tmp_path / "changed.xml", lambda name: SIZE)

    return read, truth


def test_metashapes_chunk_defines_scale_and_position(metashape):
    read, truth = metashape
    turned = "0 -1 0 1 0 0 0 0 1"

    def place(root, parent):
        transform = ElementTree.SubElement(parent(root), "transform")
        for name, text in (("rotation", turned), ("translation", "10 20 30"), ("scale", "2.5")):
            ElementTree.SubElement(transform, name, locked="false").text = text

    def component(root):
        chunk = root.find("chunk")
        for camera in chunk.iter("camera"):
            camera.set("component_id", "0")
        return ElementTree.SubElement(ElementTree.SubElement(chunk, "components"), "component", id="0")

    for parent in (lambda root: root.find("chunk"), component):
        found = read(lambda root, parent=parent: place(root, parent))
        assert same_shape(found, truth) == pytest.approx(2.5)
        pose = found.photos[0].cam_from_world
        before = truth.photos[0].cam_from_world
        center = np.array([[0, -2.5, 0], [2.5, 0, 0], [0, 0, 2.5]]) @ (-before[:, :3].T @ before[:, 3])
        assert np.allclose(-pose[:, :3].T @ pose[:, 3], center + np.array([10, 20, 30]))


def test_a_chunk_on_the_earth_is_levelled(metashape):
    read, truth = metashape

    def place(root):  # z up of the chunk along the radius at latitude 0, longitude 90 degrees east
        transform = ElementTree.SubElement(root.find("chunk"), "transform")
        for name, text in (
            ("rotation", "-1 0 0 0 0 1 0 1 0"),
            ("translation", "0 6378137 0"),
            ("scale", "1"),
        ):
            ElementTree.SubElement(transform, name).text = text

    found = read(place)
    assert same_shape(found, truth) == pytest.approx(1, abs=1e-5)
    pose, before = found.photos[0].cam_from_world, truth.photos[0].cam_from_world
    assert np.abs(pose[:, 3]).max() < 20
    assert np.allclose(pose[:, 2], before[:, 2], atol=1e-5)  # what was up in the chunk is up


def test_metashapes_chunks_groups_and_switched_off_cameras(metashape):
    read, truth = metashape

    def change(root):
        chunk = root.find("chunk")
        small = ElementTree.Element("chunk", label="first")
        ElementTree.SubElement(ElementTree.SubElement(small, "cameras"), "camera", id="0", label="nobody")
        root.insert(0, small)
        cameras = chunk.find("cameras")
        first, second, *_ = list(cameras)
        first.set("enabled", "false")
        cameras.remove(second)
        ElementTree.SubElement(cameras, "group", id="0", label="left").append(second)

    found = read(change)
    assert sum(photo.name.startswith("left/") for photo in found.photos) == 1
    assert len(found.photos) == len(truth.photos) - 1
    assert any("2 chunks" in note for note in found.notes) and any(
        "1 disabled cameras" in n for n in found.notes
    )


def test_metashapes_newer_fisheyes(metashape, tmp_path):
    read, _ = metashape

    def change(root, kind):
        for each in (*root.iter("sensor"), *root.iter("calibration")):
            each.set("type", kind)
        for name in ("p1", "p2"):
            root.find(f".//calibration/{name}").text = "0"

    assert read(lambda root: change(root, "equidistant_fisheye")).photos[0].lens.model == "OPENCV_FISHEYE"
    assert read(lambda root: change(root, "equisolid_fisheye")).photos[0].lens.fit_error < 0.01
    lens = equisolid(SIZE, (300, 300), (320, 240))
    angle = np.linspace(0.05, 1.2, 30)
    local = np.stack([np.sin(angle), np.zeros(30), np.cos(angle)], axis=1)
    assert lens.fit_error < 0.01
    assert np.abs(projected(lens, local)[:, 0] - (320 + 600 * np.sin(angle / 2))).max() < 0.01


# -- Meshroom ---------------------------------------------------------------------------------------------------------


def sfm(tmp_path, change, model="OPENCV") -> tuple[Alignment, Alignment]:
    truth = an_alignment(model)
    WRITERS["meshroom"](tmp_path / "a.sfm", truth)
    document = json.loads((tmp_path / "a.sfm").read_text())
    change(document)
    (tmp_path / "b.sfm").write_text(json.dumps(document))
    return read_alignment(tmp_path / "b.sfm", lambda name: None), truth


@pytest.mark.parametrize("version", ["1.0.0", "1.2.0", "1.2.2", "1.2.8"])
def test_meshrooms_versions_write_lenses_differently(version, tmp_path):
    def change(document):
        document["version"] = version.split(".")
        for lens in document["intrinsics"]:
            f, ratio = float(lens["focalLength"]) / 36 * SIZE[0], float(lens["pixelRatio"])
            lens["locked"] = "true"
            if version < "1.2.2":
                for name in ("focalLength", "sensorWidth", "pixelRatio"):
                    del lens[name]
                lens["pxFocalLength"] = str(f) if version == "1.0.0" else [str(f), str(f * ratio)]
            if version < "1.2.1":
                lens["principalPoint"] = [str(float(x) + side / 2) for x, side in
                                          zip(lens["principalPoint"], SIZE, strict=True)]  # fmt: skip
            if version == "1.2.2":
                lens["pixelRatio"] = str(1 / ratio)
            if version == "1.2.8":
                lens |= {"type": "pinhole", "distortionType": "brown", "undistortionType": "none",
                         "undistortionParams": [], "undistortionOffset": ["0", "0"]}  # fmt: skip

    found, truth = sfm(tmp_path, change)
    allowed = 3 if version == "1.0.0" else 1e-6  # the first version knew one focal length
    assert errors(found, truth).max() < allowed


def test_a_rig_of_meshrooms_places_its_photos(tmp_path):
    def change(document):
        turn = np.array([[0, 0, 1.0], [0, 1, 0], [-1, 0, 0]])
        offset = np.array([0.1, 0.2, 0.3])
        texts = {"rotation": [str(v) for v in turn.T.ravel()], "center": [str(v) for v in -turn.T @ offset]}
        document["rigs"] = [{"rigId": "7", "subPoses": [{"status": "estimated", "pose": texts}]}]
        view = document["views"][0]
        view |= {"rigId": "7", "subPoseId": "0", "isPoseIndependant": "false"}
        within = np.vstack([np.column_stack([turn, offset]), [0, 0, 0, 1]])
        pose = document["poses"][0]["pose"]["transform"]
        rotation = np.array([float(v) for v in pose["rotation"]]).reshape(3, 3).T
        matrix = np.column_stack([rotation, -rotation @ [float(v) for v in pose["center"]]])
        rig = np.linalg.inv(within) @ np.vstack([matrix, [0, 0, 0, 1]])
        pose["rotation"] = [str(v) for v in rig[:3, :3].T.ravel()]
        pose["center"] = [str(v) for v in -rig[:3, :3].T @ rig[:3, 3]]
        document["views"][1] |= {"rigId": "7", "subPoseId": "0"}  # of a rig that was not used

    found, truth = sfm(tmp_path, change)
    assert len(found.photos) == 6 and errors(found, truth).max() < 1e-6


def test_points_without_observations_are_left_out(tmp_path):
    def change(document):
        for point in document["structure"]:
            for seen in point["observations"]:
                for name in ("x", "scale", "featureId"):
                    del seen[name]

    found, _ = sfm(tmp_path, change)
    assert len(found.xyz) == 60 and len(found.point) == 0


# -- the others -------------------------------------------------------------------------------------------------------


def test_nvm_with_several_models_quoted_names_and_photos_without_a_position(tmp_path):
    truth = an_alignment("PINHOLE")
    WRITERS["nvm"](tmp_path / "a.nvm", truth)
    lines = (tmp_path / "a.nvm").read_text().splitlines()
    start = next(n for n, line in enumerate(lines) if "\t" in line)
    for n in range(start, start + 6):
        name, rest = lines[n].split("\t")
        lines[n] = f'"my {name}"\t{rest}'
    main = lines[start - 1 : -1]
    small = ["1", "lost.jpg\t500 1 0 0 0 0 0 0 0 0", "1", "0 0 5 255 0 0 1 0 0 1 1"]
    rest = ["1", "unplaced.jpg\t0 1 0 0 0 0 0 0 0 0", "0", "0"]
    (tmp_path / "b.nvm").write_text("\n".join(["NVM_V3", "", *small, "", *main, "", *rest]) + "\n")
    found = read_alignment(tmp_path / "b.nvm", lambda name: SIZE)
    assert len(found.photos) == 6 and all(photo.name.startswith("my ") for photo in found.photos)
    assert any("2 separate" in note or "3 separate" in note for note in found.notes)
    named = [replace(photo, name=photo.name.removeprefix("my ")) for photo in found.photos]
    assert errors(replace(found, photos=named), truth).max() < 1e-6


def test_nvm_with_one_calibration_for_all(tmp_path):
    WRITERS["nvm"](tmp_path / "a.nvm", an_alignment("PINHOLE"))
    text = (tmp_path / "a.nvm").read_text().replace("NVM_V3", "NVM_V3 FixedK 510 300 505 250 0", 1)
    (tmp_path / "a.nvm").write_text(text)
    lens = read_alignment(tmp_path / "a.nvm", lambda name: SIZE).photos[0].lens
    assert (lens.model, lens.params) == ("PINHOLE", (510.0, 505.0, 300.0, 250.0))


def test_transforms_with_lenses_by_frame_and_no_endings(tmp_path):
    truth = an_alignment("OPENCV_FISHEYE")
    WRITERS["nerfstudio"](tmp_path / "a.json", truth)
    document = json.loads((tmp_path / "a.json").read_text())
    for frame in document["frames"]:
        frame["file_path"] = f"./images/{frame['file_path'].rpartition('.')[0]}"
        frame["camera_model"] = None
    document |= {
        "camera_model": "opencv_fisheye",
        "applied_transform": [[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, -1, 0]],
    }
    for frame in document["frames"]:
        del frame["camera_model"]
    (tmp_path / "a.json").write_text(json.dumps(document))
    found = read_alignment(tmp_path / "a.json", lambda name: None)
    named = [replace(photo, name=f"{photo.name.rpartition('/')[2]}.jpg") for photo in found.photos]
    assert errors(replace(found, photos=named), truth).max() < 1e-6


def test_realityscans_count_line_draft_poses_subfolders_and_skew(tmp_path):
    head = "#cameras 1\n#name,x,y,alt,heading,pitch,roll,f,px,py,k1,k2,k3,k4,t1,t2\n"
    (tmp_path / "a.csv").write_text(f"{head}C:\\photos\\IMG 1.JPG,1,2,3,0,90,0,36,0,0,0,0,0,0,0,0\n")
    found = read_alignment(tmp_path / "a.csv", lambda name: SIZE)
    assert found.photos[0].lens.params[:2] == (640.0, 640.0)
    truth = an_alignment("OPENCV")
    WRITERS["realityscan"](tmp_path / "xmp" / "left", truth)
    for path in (tmp_path / "xmp").rglob("*.xmp"):
        path.write_text(path.read_text().replace('PosePrior="initial"', 'PosePrior="draft"'))
    found = read_alignment(tmp_path / "xmp", lambda name: SIZE)
    assert all(photo.name.startswith("left/") for photo in found.photos)
    named = [replace(photo, name=f"{photo.name.removeprefix('left/')}.jpg") for photo in found.photos]
    assert errors(replace(found, photos=named), truth).max() < 1e-6


def test_opensfm_takes_the_largest_reconstruction_and_its_fisheyes(tmp_path):
    truth = an_alignment("OPENCV_FISHEYE")
    fx, fy, cx, cy, *terms = LENSES["OPENCV_FISHEYE"]
    camera = {
        "projection_type": "fisheye_opencv", "width": SIZE[0], "height": SIZE[1], "focal_x": fx / 640,
        "focal_y": fy / 640, "c_x": (cx - 320) / 640, "c_y": (cy - 240) / 640,
        **{f"k{n}": term for n, term in enumerate(terms, 1)},
    }  # fmt: skip
    shots = {}
    for photo in truth.photos:
        angle = cv2.Rodrigues(photo.cam_from_world[:, :3])[0].ravel()
        shots[photo.name] = {"rotation": list(map(float, angle)), "camera": "v2 dji", "orientation": 1,
                             "translation": photo.cam_from_world[:, 3].tolist(), "gps_dop": 10.0}  # fmt: skip
    small = {"cameras": {"v2 dji": camera}, "shots": dict(list(shots.items())[:1]), "points": {}}
    large = {"cameras": {"v2 dji": camera}, "shots": shots, "points": {}, "reference_lla": {"latitude": 1}}
    (tmp_path / "reconstruction.json").write_text(json.dumps([small, large]))
    found = read_alignment(tmp_path / "reconstruction.json", lambda name: None)
    assert len(found.photos) == 6 and errors(found, truth).max() < 1e-6
    sixth = {**camera, "projection_type": "fisheye62", "k5": 1e-4, "k6": -1e-5}
    large["cameras"] = {"v2 dji": sixth}
    (tmp_path / "reconstruction.json").write_text(json.dumps([large]))
    lens = read_alignment(tmp_path / "reconstruction.json", lambda name: None).photos[0].lens
    assert lens.model == "OPENCV_FISHEYE" and 0 < lens.fit_error < 0.1


def test_openmvg_may_nest_its_classes(tmp_path):
    inner = {
        "value0": {"width": 640, "height": 480},
        "focal_length": 500.0,
        "principal_point": [320.0, 240.0],
    }
    lens = {"polymorphic_id": 2**31 + 1, "polymorphic_name": "pinhole_radial_k3",
            "ptr_wrapper": {"id": 1, "data": {"value0": inner, "disto_k3": [-0.1, 0.02, 0.0]}}}  # fmt: skip
    view = {"local_path": "", "filename": "a.jpg", "id_view": 0, "id_intrinsic": 0, "id_pose": 0}
    document = {
        "sfm_data_version": "0.3", "root_path": "",
        "views": [{"key": 0, "value": {"polymorphic_id": 2**30, "ptr_wrapper": {"id": 2, "data": view}}}],
        "intrinsics": [{"key": 0, "value": lens}],
        "extrinsics": [{"key": 0, "value": {"rotation": np.eye(3).tolist(), "center": [0, 0, 0]}}],
    }  # fmt: skip
    (tmp_path / "sfm_data.json").write_text(json.dumps(document))
    found = read_alignment(tmp_path / "sfm_data.json", lambda name: None)
    assert found.photos[0].lens.params == (500.0, 500.0, 320.0, 240.0, -0.1, 0.02, 0.0, 0.0)


def test_photos_are_found_by_names_of_other_systems():
    names = PhotoNames([PhotoEntry(name="0.jpg", source="/p/Ko\u0308pfe/IMG_1.jpg", state="used")])
    for name in ("C:\\x\\K\u00f6pfe\\img_1.NEF", "IMG_1", "./images/IMG_1.CR2", "img_1.JPG"):
        assert names.find(name) is not None, name


@pytest.mark.parametrize("name", ["a.psx", "a.rsproj", "sfm.abc"])
def test_formats_that_only_their_own_program_reads_are_reported(name, tmp_path):
    (tmp_path / name).write_text("x")
    with pytest.raises(FileFormatError, match=f"{name}.*export the cameras from its program"):
        read_alignment(tmp_path / name, lambda name: None)
