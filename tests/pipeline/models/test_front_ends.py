"""Networks declare what they are, front-ends consist of them, and nothing else depends on their names."""

from __future__ import annotations

import ast
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from blender_recon3d.pipeline import stages
from blender_recon3d.pipeline.errors import UserError
from blender_recon3d.pipeline.models import front_ends, networks
from blender_recon3d.pipeline.models.aliked_descriptors import AlikedDescriptors
from blender_recon3d.pipeline.models.frontend import AlikedFeatureExtractor, FeatureExtractor
from blender_recon3d.pipeline.models.lightglue import LightGlue, LightGlueSettings
from blender_recon3d.pipeline.models.matcher import LightGlueMatcher
from blender_recon3d.pipeline.models.network import ExtractorNetwork, MatcherNetwork, Network
from blender_recon3d.pipeline.stage_settings import FeaturesSettings, MatchesSettings, PairsSettings
from tests.support.planted import planted_weights
from tests.support.superpoint_inputs import textured

NAMES = sorted(networks.networks())


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> str:
    """Files for every network: planted, or random if results do not matter."""
    folder = planted_weights(tmp_path_factory.mktemp("weights"))
    torch.manual_seed(0)
    save_file(AlikedDescriptors().state_dict(), folder / "aliked_descriptors.safetensors")
    save_file(LightGlue(LightGlueSettings(layers=2)).state_dict(), folder / "lightglue.safetensors")
    return str(folder)


@pytest.mark.parametrize("name", front_ends.NAMES)
def test_what_the_extractor_gives_is_what_the_matcher_takes(name):
    assert front_ends.extractor_of(name).descriptors == front_ends.matcher_of(name).descriptors
    assert front_ends.retriever_of(name).title


def test_every_module_is_a_network_with_a_name_of_its_own():
    modules = {path.stem for path in Path(networks.__file__).parent.glob("*.py")} - {"__init__"}
    assert len(modules) == len(networks.networks()) == len(NAMES)


class Recording(SimpleNamespace):
    """Settings that record which of them are read."""

    def __getattribute__(self, name: str):
        if not name.startswith("_"):
            super().__getattribute__("_read").add(name)
        return super().__getattribute__(name)


def opened(network: Network, weights: str) -> tuple[object, set[str]]:
    """The network as its stage opens it, with only the settings that it declares; and those that it read."""
    defaults = {
        ExtractorNetwork: FeaturesSettings(weights=weights, device="cpu", precision="fp32"),
        MatcherNetwork: MatchesSettings(weights=weights, device="cpu", precision="fp32"),
    }.get(type(network), PairsSettings(weights=weights, device="cpu"))
    values = {name: getattr(defaults, name) for name in network.settings}
    settings = Recording(_read=set(), **values)
    return network.open(settings), settings._read


@pytest.mark.parametrize("name", NAMES)
def test_a_network_reads_the_settings_it_declares(name, weights):
    network = networks.networks()[name]
    assert opened(network, weights)[1] == set(network.settings)


@pytest.mark.parametrize("name", [name for name in NAMES if networks.networks()[name].weights])
def test_a_network_needs_the_files_it_declares(name, weights, tmp_path):
    network = networks.networks()[name]
    there = [Path(weights) / f"{file.name}.safetensors" for file in network.weights]
    for path in there[1:]:
        (tmp_path / path.name).symlink_to(path)
    with pytest.raises(UserError, match=f"no weights for {network.weights[0].name}"):
        opened(network, str(tmp_path))
    with pytest.raises(UserError, match="no weights for"):
        front_ends.weights_identity(network, str(tmp_path))
    (tmp_path / there[0].name).symlink_to(there[0])
    opened(network, str(tmp_path))
    assert len(front_ends.weights_identity(network, str(tmp_path)).split()) == len(network.weights)


def test_the_default_front_end_is_the_first_with_weights(weights, tmp_path):
    assert front_ends.default(weights) == front_ends.NAMES[0]
    for path in Path(weights).iterdir():
        if path.stem != "lightglue":
            (tmp_path / path.name).symlink_to(path)
    assert front_ends.default(str(tmp_path)) == "learned"
    (tmp_path / "efficientnet_b0.safetensors").unlink()
    assert front_ends.default(str(tmp_path)) == "sift"


def test_weights_that_do_not_ship_yet_are_reported_as_missing(monkeypatch, tmp_path):
    from blender_recon3d.pipeline.models import registry

    monkeypatch.setattr(registry, "bundled_folders", lambda: [tmp_path])
    monkeypatch.setenv(registry.CACHE_VARIABLE, str(tmp_path))
    with pytest.raises(
        UserError, match="no bundled weights for lightglue are installed: use --features sift"
    ) as raised:
        front_ends.weights_identity(front_ends.matcher_of("superpoint-lightglue"), "bundled")
    assert "fetch" not in str(raised.value)  # there is nothing to download


def test_precisions_are_those_of_both_networks():
    assert {name: front_ends.precisions(name) for name in front_ends.NAMES} == {
        "learned": ("fp32", "bf16"),
        "superpoint-lightglue": ("fp32", "bf16"),
        "combined": ("fp32", "bf16"),
        "sift": (),
    }


def test_alikeds_descriptors_are_at_superpoints_keypoints(weights):
    photos = [(textured(160, 200)[0, 0] * 255).byte().numpy(), np.full((64, 64), 9, np.uint8)]
    ours = AlikedFeatureExtractor(weights, "cpu", 100, precision="fp32").extract(photos)
    plain = FeatureExtractor(weights, "cpu", 100, precision="fp32").extract(photos)
    for found, expected in zip(ours, plain, strict=True):
        np.testing.assert_array_equal(found.keypoints, expected.keypoints)
        assert found.descriptors.shape == (len(expected.keypoints), 128)
        np.testing.assert_allclose(np.linalg.norm(found.descriptors, axis=1), 1, atol=1e-5)
    assert len(ours[0].keypoints) == 100 and len(ours[1].keypoints) == 0
    matcher = LightGlueMatcher(weights, "cpu", threshold=0.0, precision="fp32")
    sides = [matcher.encode(features) for features in ours]
    found = matcher.match([(sides[0], sides[0]), (sides[0], sides[1])])
    assert found[0][0].dtype == np.uint32 and len(found[0][0]) == len(found[0][1]) > 0
    assert found[1][0].shape == (0, 2)


def test_the_selection_of_keypoints_has_settings(weights):
    """Each setting alone: fewer keypoints, and none where none are allowed."""
    photo = (textured(160, 200)[0, 0] * 255).byte().numpy()

    def found(**changes: float) -> np.ndarray:
        chosen = FeaturesSettings(weights=weights, device="cpu", precision="fp32", **changes)
        extractor = front_ends.extractor_of("learned").open(chosen)
        return extractor.network.extract([photo])[0].keypoints

    usual = found()
    assert len(usual) > 100
    inner = found(border=40)
    assert 0 < len(inner) < len(usual) and (inner > 40).all() and (inner < (200 - 40, 160 - 40)).all()
    assert 0 < len(found(nms_radius=12)) < len(usual)
    assert len(found(detection_threshold=1.0)) == 0


def test_no_stage_knows_a_front_end_by_name():
    """Neither does the job or the command line: there is no `if features == ...`."""
    names = {*front_ends.NAMES, *NAMES}
    pipeline = Path(stages.__file__).parents[1]
    files = [*(pipeline / "stages").glob("*.py"), *(pipeline / "cli").glob("*.py"), *pipeline.glob("job*.py")]
    assert len(files) > 10
    for path in files:
        words = {
            node.value
            for node in ast.walk(ast.parse(path.read_text("utf-8")))
            if isinstance(node, ast.Constant)
        }
        assert not words & names, path
