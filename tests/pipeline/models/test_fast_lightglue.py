"""Fast LightGlue and its fast descriptors, against the plain networks."""

from __future__ import annotations

import pytest
import torch

from blender_recon3d.pipeline.models import aliked_precision, attention
from blender_recon3d.pipeline.models.aliked_descriptors import AlikedDescriptors, half_features
from blender_recon3d.pipeline.models.fast_aliked_descriptors import FastAlikedDescriptors
from blender_recon3d.pipeline.models.fast_lightglue import FastLightGlue
from blender_recon3d.pipeline.models.fast_superglue import GlueArithmetic
from blender_recon3d.pipeline.models.fast_superpoint import FastSuperPoint
from blender_recon3d.pipeline.models.frontend import AlikedFeatureExtractor
from blender_recon3d.pipeline.models.lightglue import Described, LightGlue, LightGlueSettings
from blender_recon3d.pipeline.models.superpoint import SuperPoint
from blender_recon3d.pipeline.models.weights import load
from blender_recon3d.pipeline.photos.image_files import read_gray
from tests.support.engine import REPOSITORY
from tests.support.superpoint_inputs import textured

from .test_lightglue import made_network, made_photos, normalize_positions

BF16 = GlueArithmetic(torch.bfloat16, "blocks")
SIZE = (640.0, 480.0)

pytestmark = pytest.mark.usefixtures("inference_mode")


def network(depth: float | None, width: float | None) -> LightGlue:
    """A network that is confident of some keypoints and not of others, and expects no match for some."""
    made = made_network(
        LightGlueSettings(layers=3, threshold=0.0, depth_confidence=depth, width_confidence=width)
    )
    for layer in made.token_confidence:
        layer.token[0].weight.mul_(20)
    for layer in made.log_assignment:
        layer.matchability.weight.mul_(8)
    return made


def photos() -> tuple[Described, Described]:
    first, second = (Described(normalize_positions(xy, SIZE), vectors) for xy, vectors in made_photos())
    return first, second


def matched(glue: FastLightGlue, sides: tuple[Described, Described]):
    return glue.match(*(glue.encode(side) for side in sides))


@pytest.mark.parametrize("kind", ["torch", "blocks"])
@pytest.mark.parametrize("depth", [None, 0.3, 0.95])
@pytest.mark.parametrize("width", [None, 0.99])
def test_matches_are_the_plain_networks(kind, depth, width):
    plain = network(depth, width)
    fast = FastLightGlue(plain.state_dict(), plain.settings, arithmetic=GlueArithmetic(torch.float32, kind))
    for sides in (photos(), photos()[::-1]):
        expected, found = plain(*sides), matched(fast, sides)
        assert len(expected.indices) > 5 and found.layers == expected.layers
        assert torch.equal(found.indices, expected.indices)
        torch.testing.assert_close(found.scores, expected.scores, atol=1e-4, rtol=1e-3)


def test_a_photo_without_keypoints_has_no_matches():
    plain = network(0.95, 0.99)
    nothing = Described(torch.empty(0, 2), torch.empty(0, 128))
    fast = FastLightGlue(plain.state_dict(), plain.settings)
    assert matched(fast, (nothing, photos()[1])).indices.shape == (0, 2)


def test_bundled_weights_find_the_same_matches_of_photos_in_any_arithmetic():
    """Two photos of the demo: at least 96 % of what the plain network in fp32 finds, since the points at the edge of
    what is forgotten come and go."""
    extractor = AlikedFeatureExtractor("bundled", "cpu", max_keypoints=500, max_size=640, precision="fp32")
    paths = sorted((REPOSITORY / "demo" / "photos").glob("*.jpg"))[:2]
    sides = tuple(
        Described(
            normalize_positions(torch.from_numpy(found.keypoints) - 0.5, found.image_size),
            torch.from_numpy(found.descriptors),
        )
        for found in extractor.extract([read_gray(path) for path in paths])
    )
    tensors = load("lightglue", "bundled")
    plain = LightGlue(LightGlueSettings()).eval()
    plain.load_state_dict(tensors)
    exact = {tuple(row) for row in plain(*sides).indices.tolist()}
    assert len(exact) > 100
    for arithmetic, least in ((GlueArithmetic(), 0.999), (BF16, 0.96)):
        found = {
            tuple(row)
            for row in matched(FastLightGlue(tensors, None, None, arithmetic), sides).indices.tolist()
        }
        assert len(exact & found) >= least * len(exact | found)


def test_the_self_test_finds_what_agrees():
    plain = network(None, None)
    exact = FastLightGlue(plain.state_dict(), plain.settings)
    assert aliked_precision.lightglue_agrees(exact, exact)
    tensors = {name: tensor.clone() for name, tensor in plain.state_dict().items()}
    tensors["transformers.1.cross_attn.to_qk.weight"] *= -3
    tensors["input_proj.weight"] = tensors["input_proj.weight"].flip(0)
    assert not aliked_precision.lightglue_agrees(exact, FastLightGlue(tensors, plain.settings))


# --- attention


def sides(rows: int, columns: int, size: float):
    random = torch.Generator().manual_seed(rows)
    keys, values = ([torch.randn(count, 256, generator=random) for count in (rows, columns)] for _ in "kv")
    return [size * side for side in keys], values


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (37, 211)])
@pytest.mark.parametrize("size", [0.3, 3.0])  # 3: heads are too sharp for blocks
def test_attention_both_ways_is_attention_each_way(monkeypatch, shape, size):
    monkeypatch.setattr(attention, "BLOCK_BYTES", 64 * shape[1])  # 16 rows at a time
    keys, values = sides(*shape, size)
    outs = [torch.zeros(count, 512)[:, 256:] for count in shape]
    attention.attend_both(keys, values, outs, "blocks")
    for index, out in enumerate(outs):
        query, key, value = (
            side.unflatten(1, (4, 64)).transpose(0, 1).double()
            for side in (keys[index], keys[1 - index], values[1 - index])
        )
        weights = (query @ key.mT * torch.tensor(2.0).log()).softmax(dim=2)
        exact = (weights @ value).transpose(0, 1).flatten(1)
        torch.testing.assert_close(out.double(), exact, atol=1e-4, rtol=1e-4)


# --- descriptors


@pytest.fixture(scope="module")
def superpoint() -> SuperPoint:
    torch.manual_seed(0)
    return SuperPoint().eval()


@pytest.fixture(scope="module")
def described() -> AlikedDescriptors:
    torch.manual_seed(1)
    return AlikedDescriptors().eval()


@pytest.mark.parametrize("shape", [(96, 136), (64, 64), (200, 40)])
def test_descriptors_are_the_plain_networks(superpoint, described, shape):
    images = textured(*shape)
    random = torch.Generator().manual_seed(2)
    xy = torch.rand(50, 2, generator=random) * torch.tensor([shape[1] - 1.0, shape[0] - 1.0])
    exact = described(half_features(superpoint, images), xy[None])[0]
    fast = FastAlikedDescriptors(described)
    maps = fast.maps(FastSuperPoint(superpoint, strip_bytes=2**16).half(images))[0]
    torch.testing.assert_close(fast.describe(maps, xy), exact, atol=1e-4, rtol=1e-3)
    assert fast.describe(maps, xy[:0]).shape == (0, 128)


def test_keypoints_from_half_are_those_of_the_whole(superpoint):
    fast = FastSuperPoint(superpoint)
    images = textured(96, 136)
    for one, other in zip(fast.dense(images), fast.from_half(fast.half(images)), strict=True):
        torch.testing.assert_close(one, other)


def test_descriptors_in_bf16_point_the_same_way(superpoint, described):
    fast = FastSuperPoint(superpoint, torch.bfloat16)
    assert aliked_precision.descriptors_agree(
        described, superpoint, FastAlikedDescriptors(described, torch.bfloat16), fast
    )
    other = AlikedDescriptors().eval()
    assert not aliked_precision.descriptors_agree(
        described, superpoint, FastAlikedDescriptors(other, torch.bfloat16), fast
    )
