"""SuperPoint against hugging-face's, and the rules of its keypoints."""

import numpy as np
import pytest
import torch

from blender_recon3d.pipeline.models import superpoint as sp
from tests.support.hugging_face import (
    superpoint_from_reference,
    superpoint_reference,
    superpoint_to_reference,
)
from tests.support.superpoint_inputs import randomize, textured


def as_pixels(found, index: int, image: torch.Tensor):
    """Hugging-face's keypoints of image `index` in pixels, scores, descriptors, without its padding.

    Also without those within 4 px of the right and lower edge: it takes the border off at 8 times the image's
    size, so that only the left and the upper one are free of keypoints.
    """
    size = torch.tensor([image.shape[-1], image.shape[-2]])
    inner = (found.keypoints[index] * size < size // 8 * 8 - 4 - 0.5).all(dim=1)
    mask = found.mask[index].bool() & inner
    return found.keypoints[index][mask] * size, found.scores[index][mask], found.descriptors[index][mask]


@pytest.mark.parametrize("shape", [(96, 128), (101, 91)])
@pytest.mark.parametrize("direction", ["ours to theirs", "theirs to ours"])
def test_agrees_with_hugging_face(shape, direction):
    ours, theirs = sp.SuperPoint(), superpoint_reference()
    if direction == "ours to theirs":
        randomize(ours, 1)
        theirs.load_state_dict(superpoint_to_reference(ours.state_dict()))
    else:
        randomize(theirs, 2)
        ours.load_state_dict(superpoint_from_reference(theirs.state_dict(), ours.state_dict()))
    images = torch.cat([textured(*shape, seed=3), textured(*shape, seed=4)])
    with torch.no_grad():
        found = ours.eval()(images)
        reference = theirs(images.expand(-1, 3, -1, -1))
    for index, points in enumerate(found):
        xy, scores, descriptors = as_pixels(reference, index, images)
        assert len(xy) > 50
        assert len(xy) == len(points.keypoints)
        # Both in the order of the pixels: equal scores may be sorted either way.
        mine = np.lexsort(points.keypoints.T.numpy())
        other = np.lexsort(xy.round().T.numpy())
        torch.testing.assert_close(points.keypoints[mine], xy[other], atol=1e-4, rtol=0)
        torch.testing.assert_close(points.scores[mine], scores[other], atol=1e-4, rtol=0)
        torch.testing.assert_close(points.descriptors[mine], descriptors[other], atol=1e-4, rtol=0)


def test_names_and_shapes_are_the_published_ones():
    shapes = {name: tuple(tensor.shape) for name, tensor in sp.SuperPoint().state_dict().items()}
    layers = "1a 1b 2a 2b 3a 3b 4a 4b Pa Pb Da Db".split()
    assert list(shapes) == [f"conv{layer}.{kind}" for layer in layers for kind in ("weight", "bias")]
    assert shapes["conv1a.weight"] == (64, 1, 3, 3)
    assert shapes["conv3a.weight"] == (128, 64, 3, 3)
    assert shapes["convPb.weight"] == (65, 256, 1, 1)
    assert shapes["convDb.weight"] == (256, 256, 1, 1)


@pytest.mark.parametrize("shape", [(64, 64), (67, 90), (8, 8), (9, 300)])
def test_keypoints_keep_their_distances_from_each_other_and_from_the_border(shape):
    network = sp.SuperPoint(sp.SuperPointSettings(threshold=0.0)).eval()
    randomize(network, 5)
    with torch.no_grad():
        points = network(textured(*shape, seed=6))[0]
    xy = points.keypoints
    assert (xy >= 4).all()
    assert (xy[:, 0] < shape[1] - 4).all()
    assert (xy[:, 1] < shape[0] - 4).all()
    apart = (xy[:, None] - xy[None]).abs().max(dim=2).values + 100 * torch.eye(len(xy))
    assert (len(xy) > 0) == (min(shape) > 16)  # the others consist of border only
    assert (apart > 4).all()
    assert (points.scores.diff() <= 0).all()
    torch.testing.assert_close(points.descriptors.norm(dim=1), torch.ones(len(xy)))


def test_suppression_is_the_greedy_algorithm():
    random = torch.Generator().manual_seed(7)
    scores = torch.rand(1, 40, 50, generator=random)
    remaining, greedy = scores[0].clone(), torch.zeros(40, 50)
    while remaining.max() > 0:  # the strongest, then whatever it does not suppress
        y, x = divmod(int(remaining.argmax()), 50)
        greedy[y, x] = remaining[y, x]
        remaining[max(0, y - 4) : y + 5, max(0, x - 4) : x + 5] = 0
    exact = sp.non_maximum_suppression(scores, 4, rounds=40)[0]
    torch.testing.assert_close(exact, greedy)
    usual = sp.non_maximum_suppression(scores, 4)[0]
    assert ((usual > 0) <= (greedy > 0)).all()  # two rounds find a subset of it, never anything else
    assert (usual > 0).sum() >= 0.8 * (greedy > 0).sum()


def test_the_strongest_are_kept():
    scores = torch.rand(64, 64, generator=torch.Generator().manual_seed(8))
    every, strength = sp.choose_keypoints(scores, (64, 64), sp.SuperPointSettings(threshold=0.5))
    few, best = sp.choose_keypoints(scores, (64, 64), sp.SuperPointSettings(threshold=0.5, max_keypoints=10))
    assert len(every) > 1000
    torch.testing.assert_close(best, strength[:10])
    torch.testing.assert_close(few, every[:10])
    assert scores[int(few[0, 1]), int(few[0, 0])] == best[0]


def test_masked_pixels_and_padding_carry_no_keypoints():
    network = sp.SuperPoint().eval()
    randomize(network, 9)
    image = textured(80, 96, seed=10)
    mask = torch.ones(1, 80, 96, dtype=torch.bool)
    mask[:, 20:60, 30:70] = False
    with torch.no_grad():
        xy = network(image, mask)[0].keypoints.long()
        assert len(xy) > 10
        assert mask[0, xy[:, 1], xy[:, 0]].all()
        xy = network(image, sizes=[(50, 40)])[0].keypoints
    assert len(xy) > 5
    assert (xy[:, 0] < 36).all()
    assert (xy[:, 1] < 46).all()


def test_a_batch_gives_what_single_images_give():
    network = sp.SuperPoint().eval()
    randomize(network, 11)
    images = torch.cat([textured(64, 72, seed=s) for s in (1, 2, 3)])
    with torch.no_grad():
        together = network(images)
        for index, points in enumerate(together):
            alone = network(images[index : index + 1])[0]
            torch.testing.assert_close(points.keypoints, alone.keypoints)
            torch.testing.assert_close(points.scores, alone.scores, atol=1e-5, rtol=1e-4)
            torch.testing.assert_close(points.descriptors, alone.descriptors, atol=1e-4, rtol=0)


def test_descriptors_are_read_at_the_keypoint():
    """A coarse map of each cell's own position: its value at a keypoint is the keypoint."""
    height, width = 12, 20
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    center = torch.stack([8 * columns + 3.5, 8 * rows + 3.5, torch.full_like(rows, 200)]).float()
    xy = torch.tensor([[4.0, 4.0], [50.0, 60.0], [155.0, 91.0], [80.0, 4.0]])
    read = {}
    for published in (False, True):
        sampled = sp.sample_descriptors(xy, center, published)
        read[published] = sampled[:, :2] / sampled[:, 2:] * 200
    torch.testing.assert_close(read[False], xy, atol=1e-3, rtol=0)
    beside = (read[True] - xy).abs().max(dim=1).values
    assert 3 < beside.max() < 3.6  # the published rule, at the right edge
    assert beside[0] < 0.2


def test_half_pixels_of_the_full_image():
    """The four corners of the resized image's pixel grid land on the full image's corners."""
    scale = (300 / 100, 150 / 60)
    outer = torch.tensor([[-0.5, -0.5], [99.5, 59.5]])
    torch.testing.assert_close(sp.to_full_image(outer, scale), torch.tensor([[0.0, 0.0], [300.0, 150.0]]))
    center = sp.to_full_image(torch.tensor([[0.0, 0.0]]), (1.0, 1.0))
    torch.testing.assert_close(center, torch.tensor([[0.5, 0.5]]))
