"""The networks' arithmetic: a table of processors, one choice for a whole job, kept when it is resumed."""

import json
import time

import numpy as np
import pytest
import torch

from blender_recon3d.pipeline import job_arithmetic
from blender_recon3d.pipeline.documents.state_json import (
    Arithmetic,
    NetworkPrecision,
    StageRecord,
    StageState,
)
from blender_recon3d.pipeline.models import arithmetic as table
from blender_recon3d.pipeline.models.frontend import FeatureExtractor, Matcher, RetrievalEncoder
from blender_recon3d.pipeline.settings import JobSettings
from blender_recon3d.pipeline.system.cpu import parse_cpuinfo, parse_identifier, processor
from blender_recon3d.pipeline.workspace import Workspace
from tests.support.planted import planted_weights
from tests.support.runs import state_json
from tests.support.scenes import box_scene, ring, spot_texture, write_capture

X86 = "processor\t: 0\nvendor_id\t: {vendor}\ncpu family\t: {family}\nmodel name\t: {name}\nflags\t\t: fpu {flags}\n\n"
ZEN_4 = X86.format(vendor="AuthenticAMD", family=25, name="AMD EPYC", flags="avx512f avx512_bf16")
ZEN_3 = X86.format(vendor="AuthenticAMD", family=25, name="AMD Ryzen", flags="avx2")
SAPPHIRE = X86.format(
    vendor="GenuineIntel", family=6, name="Xeon", flags="avx512f avx512_bf16 amx_bf16 amx_tile"
)
NO_AMX = X86.format(vendor="GenuineIntel", family=6, name="Xeon", flags="avx512f avx512_bf16")
GRAVITON = "processor\t: 0\nFeatures\t: fp asimd bf16 sve\nCPU implementer\t: 0x41\n\n"


@pytest.mark.parametrize(
    ("cpuinfo", "limit", "expected"),
    [
        (ZEN_4, "", "bf16"),
        (ZEN_4, "AVX2", "fp32"),
        (ZEN_4, "avx512_core_bf16", "bf16"),
        (ZEN_3, "", "fp32"),
        (SAPPHIRE, "", "bf16"),
        (SAPPHIRE, "AVX512_CORE_BF16", "fp32"),
        (SAPPHIRE, "AVX512_CORE_AMX", "bf16"),
        (NO_AMX, "", "fp32"),
        (GRAVITON, "", "fp32"),
        ("", "", "fp32"),
    ],
)
def test_the_table_of_processors(cpuinfo, limit, expected):
    choice = table.for_processor(parse_cpuinfo(cpuinfo), limit)
    assert choice.precision == expected
    assert choice.why


def test_windows_names_vendor_and_family():
    found = parse_identifier("AMD64 Family 25 Model 97 Stepping 2, AuthenticAMD")
    assert (found.vendor, found.family) == ("amd", 25)
    assert parse_identifier("").vendor == ""


def test_no_clock_is_asked(monkeypatch):
    """A timing would depend on the machine's other load."""
    for name in ("perf_counter", "monotonic", "time"):
        monkeypatch.setattr(time, name, lambda: pytest.fail("a clock was read"))
    processor.cache_clear()
    assert len({table.choose(torch.device("cpu")) for _ in range(3)}) == 1


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return planted_weights(tmp_path_factory.mktemp("weights"))


@pytest.fixture
def job(weights):
    return JobSettings.build(features="learned", weights=str(weights), device="cpu")


@pytest.fixture
def begun(tmp_path):
    """A workspace whose features were started in bf16, whatever this machine would choose."""
    workspace = Workspace(tmp_path)
    workspace.write_stage("features", StageRecord(state=StageState.STARTED, fingerprint="x"))
    job_arithmetic.record(workspace, Arithmetic(precision=NetworkPrecision.BF16, why="elsewhere"))
    return workspace


def test_a_resumed_job_keeps_its_arithmetic(begun, job):
    settled, value = job_arithmetic.of_job(begun, job, lambda settings: False)
    assert settled.features.precision == settled.matches.precision == "bf16"
    assert (value.precision, value.why) == ("bf16", "elsewhere")
    assert state_json(begun)["arithmetic"] == {"precision": "bf16", "why": "elsewhere"}
    assert state_json(begun)["stages"]["features"]["state"] == "started"  # nothing else is touched


def test_features_computed_anew_use_this_machines_arithmetic(begun, job):
    _, value = job_arithmetic.of_job(begun, job, lambda settings: True)
    assert value.why != "elsewhere"


def test_a_requested_arithmetic_is_used(begun, job):
    settled, value = job_arithmetic.of_job(begun, job.changed(precision="fp32"), lambda settings: False)
    assert settled.matches.precision == value.precision == "fp32"


def test_sift_has_no_arithmetic(begun):
    settled, value = job_arithmetic.of_job(begun, JobSettings.build(features="sift"), lambda settings: False)
    assert value is None and settled.features.precision == "auto"
    job_arithmetic.record(begun, value)
    assert job_arithmetic.recorded(begun) is None


@pytest.mark.parametrize("value", [None, [], {"precision": "fp8"}, {"precision": 16}])
def test_a_damaged_record_is_ignored(begun, value):
    state = state_json(begun)
    begun.state_file.write_text(json.dumps({**state, "arithmetic": value}))
    assert job_arithmetic.recorded(begun) is None


@pytest.fixture(params=[1, 2, 3])
def threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    import cv2

    folder = tmp_path_factory.mktemp("spots")
    write_capture(folder, ring(3, arc=0.3), box_scene(texture=spot_texture))
    return [cv2.imread(str(path)) for path in sorted(folder.glob("*.*")) if path.suffix in (".png", ".jpg")]


_FIRST: dict[str, list[bytes]] = {}


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_threads_and_batches_do_not_change_a_bit(photos, threads, precision):
    """The networks give the same results for a photo or a pair alone or with others, and with any number of threads."""
    gray = [np.ascontiguousarray(photo[..., 1]) for photo in photos]
    extractor = FeatureExtractor("bundled", "cpu", 300, 480, precision)
    matcher = Matcher("bundled", "cpu", 0.1, precision)
    together = extractor.extract(gray)
    alone = [extractor.extract([image])[0] for image in gray]
    pairs = [(0, 1), (0, 2), (1, 2)]
    matched = matcher.match([(together[a], together[b]) for a, b in pairs])
    single = [matcher.match([(alone[a], alone[b])])[0] for a, b in pairs]
    looks = RetrievalEncoder("bundled", "cpu")
    found = (
        [[photo.keypoints, photo.scores, photo.descriptors] for photo in together]
        + [list(result) for result in matched]
        + [[row] for row in looks.encode(photos)]
    )
    again = (
        [[photo.keypoints, photo.scores, photo.descriptors] for photo in alone]
        + [list(result) for result in single]
        + [[looks.encode([photo])[0]] for photo in photos]
    )
    contents = [b"".join(np.ascontiguousarray(part).tobytes() for part in parts) for parts in found]
    assert contents == [b"".join(np.ascontiguousarray(part).tobytes() for part in parts) for parts in again]
    assert contents == _FIRST.setdefault(precision, contents)
