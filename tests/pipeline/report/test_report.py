"""The report: complete and self-contained, whatever stage a run stopped at and whatever photos are called."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from markupsafe import Markup
from PIL import Image

from blender_recon3d.pipeline.colmap.calls import pycolmap
from blender_recon3d.pipeline.colmap.database import open_database, write_pairs
from blender_recon3d.pipeline.documents.codec import decode
from blender_recon3d.pipeline.documents.document_files import write_document
from blender_recon3d.pipeline.documents.registration_json import PhotoRegistration, RegistrationState
from blender_recon3d.pipeline.documents.state_json import StageRecord
from blender_recon3d.pipeline.events import Event, Progress, append_event
from blender_recon3d.pipeline.files.atomic_files import write_json
from blender_recon3d.pipeline.files.ply import write_vertices
from blender_recon3d.pipeline.report import write_report
from blender_recon3d.pipeline.report.graph import shorten
from blender_recon3d.pipeline.report.markup import join, tag
from blender_recon3d.pipeline.settings import JobSettings
from blender_recon3d.pipeline.sfm.registration import registration
from blender_recon3d.pipeline.stage import STAGES
from blender_recon3d.pipeline.workspace import Workspace

HOSTILE = "<script>alert(\"1\")</script> & 'x'.jpg"
FRAMES = 6


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A synthetic model of six photos and its database."""
    folder = tmp_path_factory.mktemp("model")
    pycolmap.set_random_seed(0)
    options = pycolmap.SyntheticDatasetOptions()
    options.num_rigs, options.num_cameras_per_rig, options.num_frames_per_rig = 1, 1, FRAMES
    options.num_points3D, options.camera_width, options.camera_height = 80, 320, 240
    options.camera_params = [400.0, 160.0, 120.0, 0.02]
    with open_database(folder / "database.db") as database:
        made = pycolmap.synthesize_dataset(options, database)
    made.write(folder)
    return folder


@pytest.fixture
def workspace(tmp_path, model) -> Workspace:
    """The results of all stages, but small: six photos in use, one broken and set aside, one not placed."""
    workspace = Workspace(tmp_path / "out")
    workspace.model.mkdir(parents=True)
    for path in model.iterdir():
        target = workspace.root if path.suffix == ".db" else workspace.model
        (target / path.name).write_bytes(path.read_bytes())
    made = pycolmap.Reconstruction(workspace.model)
    names = sorted(image.name for image in made.images.values())
    workspace.images.mkdir()
    generator = np.random.default_rng(0)
    for name in names:
        blocks = generator.integers(0, 255, (12, 16, 3), np.uint8)
        Image.fromarray(blocks).resize((320, 240)).save(workspace.images / name, "JPEG")
    broken = tmp_path / HOSTILE.replace("/", "_")
    broken.write_bytes(b"no photo")
    photos = [
        {"name": name, "source": f"/photos/{'b' * number}{HOSTILE if number == 1 else name}", "state": "used",
         "reason": "", "width": 320, "height": 240, "camera": 1, "orientation": 1}
        for number, name in enumerate(names)
    ]  # fmt: skip
    photos.append(
        {"name": "", "source": str(broken), "state": "set aside", "reason": f"not an image: {HOSTILE}"}
    )
    cameras = [
        {"id": 1, "model": "SIMPLE_RADIAL", "width": 320, "height": 240, "params": [384.0, 160.0, 120.0, 0.0],
         "prior": "none", "photos": FRAMES}
    ]  # fmt: skip
    write_json(
        workspace.photos, {"version": 1, "source": "/photos/<b>", "cameras": cameras, "photos": photos}
    )
    write_pairs(workspace.pairs, [(a, b) for i, a in enumerate(names) for b in names[i + 1 :]])
    found = registration(workspace, [made], workspace.database)
    found.photos[names[-1]] = PhotoRegistration(
        state=RegistrationState.NOT_REGISTERED, reason=f"too few matches with {HOSTILE}"
    )
    write_document(workspace.registration, found)
    write_json(workspace.placement, {"version": 1, "world_from_model": np.eye(4).tolist(), "how": "x"})
    cloud = np.zeros(
        500, [(name, "<f4") for name in ("x", "y", "z")] + [(c, "u1") for c in ("red", "green", "blue")]
    )
    for name in "xyz":
        cloud[name] = generator.normal(size=500)
    write_vertices(workspace.fusion, cloud)
    return workspace


def finish(workspace: Workspace, until: str, failed: str = "") -> None:
    """state.json after a run that ended with `until`, or that failed in `failed`."""
    for number, name in enumerate(STAGES[: STAGES.index(until) + 1], 1):
        entry = {"fingerprint": f"{number:064x}", "state": "done", "seconds": number * 1.5, "peak_memory_mb": 100,
                 "summary": {"message": f"{name} is made", "points": 500}}  # fmt: skip
        if name == failed:
            entry = {"fingerprint": f"{number:064x}", "state": "started"}
        workspace.write_stage(name, decode(StageRecord, entry))


def report(workspace: Workspace) -> tuple[dict, str, list[Event]]:
    events: list[Event] = []
    settings = JobSettings.build(photos=("/photos/<b>",), until="dense")
    write_report(workspace, settings, Progress(events.append, stage="report"))
    facts = json.loads(workspace.report_json.read_text("utf-8"))
    return facts, workspace.report_html.read_text("utf-8"), events


class Checker(HTMLParser):
    """Collects elements, addresses and text, and fails on elements that are not closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[str] = []
        self.addresses: list[str] = []
        self.text = ""

    def handle_starttag(self, tag, attrs):
        self.elements.append(tag)
        self.addresses += [value for name, value in attrs if name in ("src", "href", "srcset", "action")]
        assert not [name for name, _ in attrs if name.startswith("on")]
        if tag not in ("img", "meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def checked(page: str) -> Checker:
    checker = Checker()
    checker.feed(page)
    assert not checker.open
    assert (
        "script" not in checker.elements and "link" not in checker.elements and "b>" not in checker.elements
    )
    assert all(address.startswith("data:image/") for address in checker.addresses)
    assert not re.search(r"@import|url\(|https?://", page)
    return checker


def test_a_finished_run_shows_everything(workspace):
    finish(workspace, "dense")
    facts, page, events = report(workspace)
    assert facts["report_failures"] == [] and [event.kind for event in events] == ["progress", "done"]
    assert len(facts["photos"]) == FRAMES + 1 and len(facts["pairs"]) == FRAMES * (FRAMES - 1) // 2
    assert all(pair["inliers"] > 0 for pair in facts["pairs"])
    assert facts["models"][0]["photos"] == FRAMES
    assert len(facts["cameras"][0]["refined"]) == 4
    assert facts["versions"]["pycolmap"] and facts["settings"]["sfm"]["mapper"] == "auto"
    checker = checked(page)
    assert (
        checker.elements.count("img") == FRAMES + 2
    )  # a thumbnail of each readable photo, and two of matches
    assert checker.elements.count("image") == 2  # the cloud from above and from the front
    assert checker.text.count("not registered") == 2  # the photo's state, and its node's tooltip
    for title in (
        "Cameras and cloud",
        "500 dense points",
        "The best pair",
        "The worst verified pair",
        f"{6:064x}",
    ):
        assert title in checker.text


def test_names_are_data_and_never_markup(workspace):
    finish(workspace, "dense")
    _, page, _ = report(workspace)
    assert "<script" not in page
    assert "&lt;script&gt;alert(&#34;1&#34;)&lt;/script&gt; &amp; &#39;x&#39;.jpg" in page
    assert HOSTILE in checked(page).text


@pytest.mark.parametrize("until", STAGES)
def test_a_run_that_stopped_after_any_stage_has_a_report(workspace, until):
    """Files of later stages still exist from an earlier run: they do not belong to this run and are not shown."""
    finish(workspace, until)
    facts, page, _ = report(workspace)
    assert facts["report_failures"] == []
    number = STAGES.index(until)
    assert [stage["state"] for stage in facts["stages"]] == ["done"] * (number + 1) + ["not run"] * (
        len(STAGES) - 1 - number
    )
    assert bool(facts["pairs"]) == (number >= STAGES.index("pairs"))
    assert bool(facts["models"]) == (number >= STAGES.index("sfm"))
    assert any(pair["inliers"] for pair in facts["pairs"]) == (number >= STAGES.index("matches"))
    assert ("From above" in checked(page).text) == (number >= STAGES.index("sfm"))
    assert ("dense points" in page) == (number >= STAGES.index("dense"))


@pytest.mark.parametrize("failed", STAGES)
def test_a_stage_that_failed_is_named_with_the_error(workspace, failed):
    finish(workspace, failed, failed)
    for kind, message in (("info", "started"), ("error", f"It broke on {HOSTILE}.")):
        append_event(workspace.events, Event(1.0, "job", kind, message=message))
    facts, page, _ = report(workspace)
    assert facts["problems"][0] == {"stage": "job", "kind": "error", "message": f"It broke on {HOSTILE}."}
    assert "This stage was stopped or failed" in checked(page).text


def test_an_empty_workspace_has_a_report(tmp_path):
    workspace = Workspace(tmp_path)
    facts, page, _ = report(workspace)
    assert facts["report_failures"] == [] and facts["photos"] == []
    checked(page)


def test_warnings_are_of_each_stages_last_run(workspace):
    finish(workspace, "pairs")
    lines = [
        ("job", "info", "started"), ("photos", "progress", "started"), ("photos", "warning", "old"),
        ("pairs", "progress", "started"), ("pairs", "warning", "kept"), ("job", "error", "an old error"),
        ("job", "info", "started"), ("photos", "progress", "started"), ("photos", "warning", "new"),
        ("pairs", "done", "unchanged, kept"), ("sfm", "warning", "of a stage that has not run since"),
    ]  # fmt: skip
    for stage, kind, message in lines:
        append_event(workspace.events, Event(1.0, stage, kind, message=message))
    facts, _, _ = report(workspace)
    assert [problem["message"] for problem in facts["problems"]] == ["new", "kept"]


@pytest.mark.parametrize("name", ["photos.json", "registration.json", "placement.json", "pairs.txt", "database.db",
                                  "sparse/0/images.bin", "sparse/0/cameras.bin", "dense/fusion.ply"])  # fmt: skip
@pytest.mark.parametrize("content", [b"", b"\xff\xfe nonsense", None])
def test_a_damaged_or_missing_file_leaves_out_its_part_only(workspace, name, content):
    finish(workspace, "dense")
    path = workspace.root / name
    path.unlink() if content is None else path.write_bytes(content)
    facts, page, events = report(workspace)
    assert facts["versions"] and checked(page).text
    assert bool(facts["report_failures"]) == any(event.kind == "warning" for event in events)


def test_a_report_that_cannot_be_written_is_a_warning(workspace):
    finish(workspace, "photos")
    workspace.report_json.mkdir()
    events: list[Event] = []
    write_report(workspace, JobSettings.build(photos=("/p",)), Progress(events.append, stage="report"))
    assert [event.kind for event in events] == ["progress", "warning"]
    assert "could not be written" in events[-1].message


def test_a_page_of_many_photos_stays_small(tmp_path):
    """Bounded size: small pictures, the strongest pairs, no names on the circle."""
    workspace = Workspace(tmp_path)
    workspace.images.mkdir()
    Image.effect_noise((640, 480), 60).convert("RGB").save(workspace.images / "p0.jpg")
    names = [f"p{number}.jpg" for number in range(400)]
    for name in names[1:]:
        (workspace.images / name).hardlink_to(workspace.images / "p0.jpg")
    photos = [{"name": name, "source": f"/photos/{name}", "state": "used", "reason": ""} for name in names]
    write_json(workspace.photos, {"version": 1, "source": "/photos", "cameras": [], "photos": photos})
    finish(workspace, "photos")
    _, page, _ = report(workspace)
    assert checked(page).elements.count("img") == 400
    assert len(page) < 4e6  # so 1,000 stay below 10 MB


def test_markup_escapes_everything_except_itself():
    assert tag("p", "<i>", tag("b", "&"), None, title='"') == '<p title="&#34;">&lt;i&gt;<b>&amp;</b></p>'
    assert join(Markup("<i>"), "a\x00b") == "<i>a\ufffdb"


def test_long_names_keep_their_ends():
    assert shorten("IMG_20260101_123456_HDR.jpg", 16) == "IMG_202601…R.jpg"
    assert shorten("a.jpg", 16) == "a.jpg"


def test_the_page_needs_no_network_by_policy(workspace):
    finish(workspace, "photos")
    _, page, _ = report(workspace)
    assert "default-src 'none'" in page
    assert Path(workspace.report_html).stat().st_size < 200_000
