"""SuperPoint in strips against the plain network, and its suppression against max-pooling."""

import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - the conventional name

from blender_recon3d.pipeline.models import precision
from blender_recon3d.pipeline.models import superpoint as sp
from blender_recon3d.pipeline.models.fast_superpoint import FastSuperPoint
from tests.support.planted import planted_superpoint
from tests.support.superpoint_inputs import randomize, textured

pytestmark = pytest.mark.usefixtures("inference_mode")


@pytest.fixture(scope="module")
def network() -> sp.SuperPoint:
    network = sp.SuperPoint().eval()
    randomize(network, 1)
    return network


@pytest.mark.parametrize("strip_bytes", [1, 2**17, 2**30])
@pytest.mark.parametrize("shape", [(1, 64, 72), (2, 67, 90), (1, 8, 8), (1, 9, 300), (1, 131, 40)])
def test_strips_give_what_the_whole_image_gives(network, shape, strip_bytes):
    """Also if the height is not a multiple of a strip's, and if there is only one strip."""
    batch, height, width = shape
    images = torch.cat([textured(height, width, seed) for seed in range(batch)])
    fast = FastSuperPoint(network, strip_bytes=strip_bytes)
    for ours, exact in zip(fast.dense(images), network.dense(images), strict=True):
        torch.testing.assert_close(ours, exact, atol=1e-4, rtol=1e-4)


def test_keypoints_masks_and_sizes_are_the_plain_networks(network):
    images = torch.cat([textured(96, 80, seed) for seed in (3, 4)])
    masks = torch.ones(2, 96, 80, dtype=torch.bool)
    masks[:, 30:60, 20:50] = False
    sizes = [(96, 80), (70, 66)]
    ours = FastSuperPoint(network, strip_bytes=1)(images, masks, sizes)
    for found, exact in zip(ours, network(images, masks, sizes), strict=True):
        assert len(exact.keypoints) > 20
        torch.testing.assert_close(found.keypoints, exact.keypoints)
        torch.testing.assert_close(found.scores, exact.scores, atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(found.descriptors, exact.descriptors, atol=1e-4, rtol=0)


def test_bf16_is_close(network):
    images = torch.cat([textured(96, 80, seed) for seed in (5, 6)])
    logits, descriptors = FastSuperPoint(network, torch.bfloat16).dense(images)
    exact_logits, exact_descriptors = network.dense(images)
    assert logits.dtype == descriptors.dtype == torch.float32
    assert (logits - exact_logits).square().mean() < 1e-3 * exact_logits.square().mean()
    assert (descriptors * exact_descriptors).sum(1).min() > 0.999


def test_the_self_test_finds_what_agrees(network):
    planted = sp.SuperPoint().eval()
    planted.load_state_dict(planted_superpoint())
    assert precision.superpoint_agrees(planted, FastSuperPoint(planted))
    assert precision.superpoint_agrees(planted, FastSuperPoint(planted, torch.bfloat16))
    assert not precision.superpoint_agrees(planted, FastSuperPoint(network))
    device = torch.device("cpu")
    expected = precision.DTYPES[precision.choose(device).precision]
    assert precision.fastest_superpoint(planted, device).dtype == expected
    assert precision.fastest_superpoint(planted, device, "fp32").dtype == torch.float32


@pytest.mark.parametrize("radius", [0, 1, 2, 4, 5, 8])
@pytest.mark.parametrize("shape", [(1, 40, 57), (2, 3, 30), (1, 1, 1)])
def test_window_maximum_is_max_pooling(radius, shape):
    random = torch.Generator().manual_seed(radius)
    values = torch.randn(shape, generator=random)
    pooled = F.max_pool2d(values[:, None], 2 * radius + 1, stride=1, padding=radius)[:, 0]
    assert torch.equal(sp.window_maximum(values, radius), pooled)
    high = values > 1.5
    pooled = F.max_pool2d(high[:, None].float(), 2 * radius + 1, stride=1, padding=radius)[:, 0]
    assert torch.equal(sp.window_maximum(high, radius), pooled > 0)
