"""SuperGlue against hugging-face's; padding, empty sets and Sinkhorn's marginals."""

import pytest
import torch

from blender_recon3d.pipeline.models import superglue as sg
from tests.support.hugging_face import superglue_from_reference, superglue_reference, superglue_to_reference
from tests.support.superglue_inputs import batch, pair, randomize


@pytest.mark.parametrize("direction", ["ours to theirs", "theirs to ours"])
def test_agrees_with_hugging_face(direction):
    ours, theirs = sg.SuperGlue().eval(), superglue_reference(threshold=0.2, layers=18)
    if direction == "ours to theirs":
        randomize(ours, 1)
        theirs.load_state_dict(superglue_to_reference(ours.state_dict()), strict=False)
    else:
        randomize(theirs, 2)
        ours.load_state_dict(superglue_from_reference(theirs.state_dict(), ours.state_dict()))
    first, second = pair(70, 70, seed=3)
    keypoints, scores, descriptors = (torch.stack(values)[None] for values in zip(first, second, strict=True))
    with torch.no_grad():
        matches, confidence = ours.match(batch([first]), batch([second]))
        reference = theirs._match_image_pair(keypoints, descriptors, scores, 480, 640)
    assert (matches >= 0).sum() > 20
    assert ((matches == -1).sum() > 5) and (confidence[confidence > 0].std() > 0.01)
    torch.testing.assert_close(matches[0], reference[0].reshape(2, -1)[0].long())
    accepted = matches[0] >= 0
    theirs_confidence = reference[1].reshape(2, -1)[0]
    torch.testing.assert_close(confidence[0][accepted], theirs_confidence[accepted], atol=1e-4, rtol=0)


def test_names_and_shapes_are_the_published_ones():
    shapes = {name: tuple(tensor.shape) for name, tensor in sg.SuperGlue().state_dict().items()}
    assert shapes["bin_score"] == ()
    assert shapes["kenc.encoder.0.weight"] == (32, 3, 1)
    assert shapes["kenc.encoder.1.running_mean"] == (32,)
    assert shapes["kenc.encoder.12.weight"] == (256, 256, 1)
    assert shapes["gnn.layers.17.attn.merge.weight"] == (256, 256, 1)
    assert shapes["gnn.layers.17.attn.proj.2.bias"] == (256,)
    assert shapes["gnn.layers.0.mlp.0.weight"] == (512, 512, 1)
    assert shapes["gnn.layers.0.mlp.1.running_var"] == (512,)
    assert shapes["gnn.layers.0.mlp.3.weight"] == (256, 512, 1)
    assert shapes["final_proj.weight"] == (256, 256, 1)
    assert len(shapes) == 10 + 4 * 5 + 18 * (8 + 4 + 5) + 2 + 1
    assert sg.layers_of(sg.SuperGlue().state_dict()) == 18


def test_padding_changes_nothing():
    """A batch of pairs of different sizes gives what each pair gives alone."""
    network = sg.SuperGlue(sg.SuperGlueSettings(layers=4)).eval()
    randomize(network, 4)
    pairs = [pair(30, 41, 5), pair(12, 50, 6), pair(44, 1, 7), pair(1, 1, 8)]
    with torch.no_grad():
        together = network(batch([a for a, _ in pairs]), batch([b for _, b in pairs]))
        matches, confidence = network.match(batch([a for a, _ in pairs]), batch([b for _, b in pairs]))
        for index, (first, second) in enumerate(pairs):
            m, n = len(first[0]), len(second[0])
            alone = network(batch([first]), batch([second]))[0]
            mine = together[index]
            torch.testing.assert_close(mine[:m, :n], alone[:m, :n], atol=1e-3, rtol=1e-4)
            torch.testing.assert_close(mine[:m, -1], alone[:m, -1], atol=1e-3, rtol=1e-4)
            torch.testing.assert_close(mine[-1, :n], alone[-1, :n], atol=1e-3, rtol=1e-4)
            alone_matches, alone_confidence = network.match(batch([first]), batch([second]))
            torch.testing.assert_close(matches[index, :m], alone_matches[0])
            torch.testing.assert_close(confidence[index, :m], alone_confidence[0], atol=1e-4, rtol=0)
            assert (matches[index, m:] == -1).all()
            assert (matches[index] < n).all()


def test_marginals_of_the_assignment():
    random = torch.Generator().manual_seed(9)
    scores = torch.randn(2, 8, 5, generator=random) * 4
    valid0 = torch.arange(8)[None] < torch.tensor([[8], [3]])
    assignment = sg.log_assignment(scores, torch.tensor(1.5), valid0, None, 300).exp()
    rows, columns = assignment.sum(2), assignment.sum(1)
    torch.testing.assert_close(
        columns, torch.tensor([[1.0] * 5 + [8.0], [1.0] * 5 + [3.0]]), atol=1e-4, rtol=0
    )
    torch.testing.assert_close(rows[0], torch.tensor([1.0] * 8 + [5.0]), atol=1e-3, rtol=0)
    torch.testing.assert_close(rows[1], torch.tensor([1.0] * 3 + [0.0] * 5 + [5.0]), atol=1e-3, rtol=0)


def test_gradients_are_finite_with_padding():
    network = sg.SuperGlue(sg.SuperGlueSettings(layers=2, sinkhorn_iterations=20)).eval()
    first, second = zip(pair(9, 4, 1), pair(3, 7, 2), strict=True)
    network(batch(list(first)), batch(list(second)))[:, :3, :3].sum().backward()
    gradients = [parameter.grad for parameter in network.parameters() if parameter.grad is not None]
    assert len(gradients) > 30
    assert all(torch.isfinite(gradient).all() for gradient in gradients)


def test_a_match_is_mutual_and_above_the_threshold():
    probabilities = torch.full((1, 4, 4), 1e-3)
    probabilities[0, 0, 1] = 0.9  # 0 and 1 choose each other
    probabilities[0, 1, 1] = 0.5  # 1 prefers 1, which prefers 0
    probabilities[0, 2, 2] = 0.15  # too weak
    matches, confidence = sg.mutual_matches(probabilities.log(), 0.2)
    assert matches.tolist() == [[1, -1, -1]]
    torch.testing.assert_close(confidence, torch.tensor([[0.9, 0.0, 0.0]]))


def test_positions_are_in_units_of_the_longer_side():
    xy = torch.tensor([[0.0, 0.0], [640.0, 480.0], [320.0, 240.0]])
    expected = torch.tensor([[-320 / 448, -240 / 448], [320 / 448, 240 / 448], [0.0, 0.0]])
    torch.testing.assert_close(sg.normalize_keypoints(xy, (640, 480)), expected)
