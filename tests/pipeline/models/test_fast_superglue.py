"""The fast matcher against the plain network: every part, and the whole on pairs of all sizes."""

import pytest
import torch

from blender_recon3d.pipeline.models import attention, precision
from blender_recon3d.pipeline.models import superglue as sg
from blender_recon3d.pipeline.models.fast_superglue import FastSuperGlue, GlueArithmetic
from blender_recon3d.pipeline.models.frontend import FeatureExtractor
from blender_recon3d.pipeline.models.weights import load
from blender_recon3d.pipeline.photos.image_files import read_gray
from tests.support.engine import REPOSITORY
from tests.support.superglue_inputs import batch, pair, randomize

BF16 = GlueArithmetic(torch.bfloat16, "blocks")


pytestmark = pytest.mark.usefixtures("inference_mode")


@pytest.fixture(scope="module")
def network() -> sg.SuperGlue:
    """Ten layers, five of which have an effect."""
    network = sg.SuperGlue(sg.SuperGlueSettings(layers=10)).eval()
    randomize(network, 1)
    for index in (2, 3, 6, 8, 9):
        for parameter in network.gnn.layers[index].mlp[-1].parameters():
            parameter.data.zero_()
    return network


def prepared(side, size=(640, 480)):
    xy, scores, descriptors = side
    return sg.normalize_keypoints(xy, size), scores, descriptors


def accepted(matches: torch.Tensor) -> list[list[int]]:
    """The plain network's partners [M] as a list of index pairs."""
    rows = torch.nonzero(matches >= 0).squeeze(1)
    return torch.stack([rows, matches[rows]], dim=1).tolist()


@pytest.mark.parametrize("counts", [(70, 70), (33, 129), (131, 40), (1, 30), (30, 1), (1, 1), (513, 300)])
def test_the_assignment_is_the_plain_networks(network, counts):
    first, second = pair(*counts, seed=sum(counts))
    fast = FastSuperGlue(network.state_dict(), network.settings)
    x0, x1 = (fast.encode(*prepared(side)) for side in (first, second))
    exact = network(batch([first]), batch([second]))[0].exp()
    torch.testing.assert_close(fast.assignment([x0], [x1]).dense()[0], exact, atol=2e-3, rtol=2e-3)
    matches, confidence = fast.match([x0], [x1])[0]
    expected, confidences = network.match(batch([first]), batch([second]))
    assert matches.tolist() == accepted(expected[0])
    assert min(counts) < 30 or len(matches) > 10
    torch.testing.assert_close(confidence, confidences[0][matches[:, 0]], atol=2e-3, rtol=2e-3)


@pytest.mark.parametrize("kind", ["torch", "blocks"])
def test_bf16_finds_the_same_matches(network, kind):
    fast = FastSuperGlue(
        network.state_dict(), network.settings, arithmetic=GlueArithmetic(torch.bfloat16, kind)
    )
    same = total = 0
    for seed in range(4):
        first, second = pair(300, 280, seed)
        matches, confidence = fast.match(*([fast.encode(*prepared(side))] for side in (first, second)))[0]
        expected, confidences = network.match(batch([first]), batch([second]))
        ours, exact = ({tuple(row) for row in rows} for rows in (matches.tolist(), accepted(expected[0])))
        same, total = same + len(ours & exact), total + len(ours | exact)
        assert (confidence - confidences[0][matches[:, 0]]).abs().mean() < 0.01
    assert total > 300
    assert same >= 0.99 * total


def test_pairs_in_a_batch_give_what_each_gives_alone_and_what_padding_gives(network):
    pairs = [pair(60, 47, seed) for seed in range(3)]
    fast = FastSuperGlue(network.state_dict(), network.settings)
    sides = [[fast.encode(*prepared(one[side])) for one in pairs] for side in (0, 1)]
    together = fast.match(*sides)
    others = [pair(81, 90, 7), pair(5, 3, 8)]  # in one padded batch of the plain network with ours
    everything = [*pairs, *others]
    expected, confidences = network.match(
        batch([a for a, _ in everything]), batch([b for _, b in everything])
    )
    for index, (matches, confidence) in enumerate(together):
        alone, its_confidence = fast.match([sides[0][index]], [sides[1][index]])[0]
        assert matches.tolist() == alone.tolist() == accepted(expected[index])
        torch.testing.assert_close(confidence, its_confidence, atol=1e-3, rtol=1e-3)
        torch.testing.assert_close(confidence, confidences[index][matches[:, 0]], atol=2e-3, rtol=2e-3)


@pytest.mark.parametrize("arithmetic", [GlueArithmetic(), BF16])
def test_layers_that_add_nothing_are_skipped_exactly(network, arithmetic):
    first, second = (prepared(side) for side in pair(50, 60, 3))
    all_of_them, few = (
        FastSuperGlue(network.state_dict(), network.settings, arithmetic=arithmetic, skip_identities=skip)
        for skip in (False, True)
    )
    assert (all_of_them.layers, few.layers) == (10, 5)
    logits = [glue.logits([glue.encode(*first)], [glue.encode(*second)]) for glue in (all_of_them, few)]
    assert torch.equal(*logits)


def test_first_layers_that_are_self_attention_are_computed_once_an_image(network):
    """Without its first cross attention, the network sees the other image only in the next one."""
    tensors = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    for kind in ("weight", "bias"):
        tensors[f"gnn.layers.1.mlp.3.{kind}"].zero_()
    changed = sg.SuperGlue(network.settings).eval()
    changed.load_state_dict(tensors)
    first, second = pair(40, 30, 5)
    fast = FastSuperGlue(tensors, network.settings)
    x0, x1 = (fast.encode(*prepared(side)) for side in (first, second))
    points = batch([first])
    plain = changed.encode(points)
    for layer in changed.gnn.layers[:5:2]:
        plain = layer(plain, plain, None)
    torch.testing.assert_close(x0, plain[0].T, atol=1e-3, rtol=1e-3)
    exact = changed(points, batch([second]))[0].exp()
    torch.testing.assert_close(fast.assignment([x0], [x1]).dense()[0], exact, atol=2e-3, rtol=2e-3)


def test_a_network_without_any_live_layer_is_nearest_neighbors(network):
    tensors = {
        name: torch.zeros_like(tensor) if ".mlp.3." in name else tensor
        for name, tensor in network.state_dict().items()
    }
    fast = FastSuperGlue(tensors, network.settings)
    assert fast.layers == 0
    first, second = pair(40, 30, 6)
    x0, x1 = (fast.encode(*prepared(side)) for side in (first, second))
    torch.testing.assert_close(x0, network.encode(batch([first]))[0].T, atol=1e-4, rtol=1e-4)
    assert len(fast.match([x0], [x1])[0][0]) > 5


def test_bundled_weights_find_the_same_matches_of_photos_in_any_arithmetic():
    """Three photos of the demo, real matches: at least 99 % of what the plain network in fp32 finds."""
    weights = load("superglue", "bundled")
    settings = sg.SuperGlueSettings(layers=sg.layers_of(weights))
    plain = sg.SuperGlue(settings).eval()
    plain.load_state_dict(weights)
    paths = sorted((REPOSITORY / "demo" / "photos").glob("*.jpg"))[:3]
    extractor = FeatureExtractor("bundled", "cpu", max_keypoints=500, max_size=640, precision="fp32")
    sides = [
        (
            sg.normalize_keypoints(torch.from_numpy(features.keypoints) - 0.5, features.image_size),
            torch.from_numpy(features.scores),
            torch.from_numpy(features.descriptors),
        )
        for features in extractor.extract([read_gray(path) for path in paths])
    ]
    fast = [
        FastSuperGlue(weights, settings, arithmetic=arithmetic) for arithmetic in (GlueArithmetic(), BF16)
    ]
    same, total = [0, 0], [0, 0]
    for first, second in ((0, 1), (1, 2), (0, 2)):
        points = [sg.KeypointSet(*(values[None] for values in sides[index])) for index in (first, second)]
        exact = {tuple(row) for row in accepted(plain.match(*points)[0][0])}
        for index, glue in enumerate(fast):
            matches, _ = glue.match([glue.encode(*sides[first])], [glue.encode(*sides[second])])[0]
            ours = {tuple(row) for row in matches.tolist()}
            same[index], total[index] = same[index] + len(ours & exact), total[index] + len(ours | exact)
    assert min(total) > 150
    assert same[0] >= 0.999 * total[0]
    assert same[1] >= 0.99 * total[1]


# --- attention


def projected(rows: int, columns: int, size: float, dtype: torch.dtype, seed: int = 0):
    random = torch.Generator().manual_seed(seed)
    query = torch.randn(2, rows, 256, generator=random) * size
    key, value = (torch.randn(2, columns, 256, generator=random) for _ in range(2))
    return query.to(dtype), key.to(dtype), value.to(dtype)


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (37, 211)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_attention_in_blocks_is_attention(monkeypatch, shape, dtype):
    monkeypatch.setattr(attention, "BLOCK_BYTES", 16 * shape[1] * dtype.itemsize)  # 16 queries at a time
    query, key, value = projected(*shape, 0.4, dtype)
    heads = (x.float().view(2, -1, 4, 64).transpose(1, 2) for x in (query, key, value))
    scores, values = (lambda q, k, v: (q @ k.mT, v))(*heads)
    exact = ((2.0**scores / (2.0**scores).sum(3, keepdim=True)) @ values).transpose(1, 2).flatten(2)
    # bf16 has 8 bits: scores of size 5 are off by up to .016, and the weights and values by .004.
    tolerance = 2e-5 if dtype == torch.float32 else 0.04
    for kind in ("torch", "blocks"):
        out = torch.zeros(2, shape[0], 512, dtype=dtype)[:, :, 256:]
        attention.attend(query, key, value, out, kind)
        torch.testing.assert_close(out.float(), exact, atol=tolerance, rtol=tolerance)


@pytest.mark.parametrize("offset", [0.0, 40.0, -40.0])
def test_attention_where_exponentials_leave_the_range(offset):
    """Scores of hundreds, of either sign: the result is still right, by torch's attention."""
    query, key, value = projected(20, 30, 12.0, torch.float32)
    query[..., ::64], key[..., ::64] = 10.0, offset  # adds 10 offset to all scores, which changes nothing
    results = []
    for kind in ("torch", "blocks"):
        results.append(torch.zeros(2, 20, 256))
        attention.attend(query, key, value, results[-1], kind)
    assert results[0].isfinite().all()
    torch.testing.assert_close(*results, atol=1e-4, rtol=1e-4)


# --- the self-test


def test_the_self_test_finds_what_agrees(network):
    exact = FastSuperGlue(network.state_dict(), network.settings)
    assert precision.superglue_agrees(
        exact, FastSuperGlue(network.state_dict(), network.settings, None, BF16)
    )
    other = sg.SuperGlue(network.settings).eval()
    randomize(other, 2)
    assert not precision.superglue_agrees(exact, FastSuperGlue(other.state_dict(), network.settings))
    tensors = dict(network.state_dict())
    tensors["final_proj.weight"] = tensors["final_proj.weight"] * torch.nan
    assert not precision.superglue_agrees(exact, FastSuperGlue(tensors, network.settings))


def test_the_chosen_arithmetic_is_the_devices(network):
    device = torch.device("cpu")
    chosen = precision.fastest_superglue(network.state_dict(), network.settings, device)
    expected = precision.DTYPES[precision.choose(device).precision]
    assert chosen.arithmetic.dtype == expected
    forced = precision.fastest_superglue(network.state_dict(), network.settings, device, "fp32")
    assert forced.arithmetic == GlueArithmetic()
