"""Sinkhorn on numbers against Sinkhorn on logarithms, and the mutual matches of both."""

import pytest
import torch

from blender_recon3d.pipeline.models import sinkhorn
from blender_recon3d.pipeline.models.glue_matrices import LOG2_E
from blender_recon3d.pipeline.models.superglue import log_assignment
from blender_recon3d.pipeline.models.superglue import mutual_matches as reference_matches


def random_scores(batch: int, rows: int, columns: int, size: float, seed: int = 0) -> torch.Tensor:
    return torch.randn(batch, rows, columns, generator=torch.Generator().manual_seed(seed)) * size


def assign(scores: torch.Tensor, bin_score: float, iterations: int = 100) -> sinkhorn.Assignment:
    """Assignment for natural scores [B, M, N], as the network would pass them."""
    padded = torch.nn.functional.pad(scores, (0, 1, 0, 1), value=bin_score)
    return sinkhorn.assign(padded * LOG2_E, iterations)


def reference(scores: torch.Tensor, bin_score: float, iterations: int = 100) -> torch.Tensor:
    return log_assignment(scores, torch.tensor(bin_score), None, None, iterations)


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 1, 7), (1, 6, 1), (2, 33, 20), (3, 64, 64)])
@pytest.mark.parametrize("size", [0.1, 3.0, 20.0])
@pytest.mark.parametrize("bin_score", [-4.0, 1.0, 9.0])
def test_agrees_with_the_logarithmic_algorithm(shape, size, bin_score):
    scores = random_scores(*shape, size)
    torch.testing.assert_close(
        assign(scores, bin_score).dense(), reference(scores, bin_score).exp(), atol=1e-3, rtol=1e-3
    )


@pytest.mark.parametrize("iterations", [1, 2, 3, 20])
def test_agrees_before_it_has_converged(iterations):
    """Strong scores with a weak dustbin: far from convergence, so that the number of iterations matters."""
    scores = random_scores(1, 40, 55, 30.0)
    ours = assign(scores, -20.0, iterations)
    assert ours.iterations == iterations
    torch.testing.assert_close(ours.dense(), reference(scores, -20.0, iterations).exp(), atol=1e-3, rtol=1e-3)
    later = reference(scores, -20.0, iterations + 1).exp()
    assert (ours.dense() - later).abs().max() > 0.01


@pytest.mark.parametrize("bin_score", [-300.0, 1.0, 300.0])
@pytest.mark.parametrize("kind", ["large", "one column for all", "nothing fits", "far apart"])
def test_extreme_scores(kind, bin_score):
    """Exponentials of these exceed float32 by hundreds of powers of ten."""
    scores = random_scores(1, 50, 40, 200.0, seed=1)
    if kind == "one column for all":
        scores = torch.zeros(1, 50, 40)
        scores[:, :, 7] = 400.0
    elif kind == "nothing fits":
        scores -= 2000
    elif kind == "far apart":
        scores = torch.full((1, 50, 40), -3000.0)
        scores[0, :40].fill_diagonal_(3000.0)
    ours, exact = assign(scores, bin_score).dense(), reference(scores, bin_score).exp()
    assert ours.isfinite().all()
    # The reference itself is off by this much: at scores of 3,000 a float32 is precise to 2.4e-4, and
    # the dustbin's entry is up to 50.
    torch.testing.assert_close(ours, exact, atol=2e-3, rtol=5e-3)


def test_stops_when_no_iteration_can_change_anything():
    scores = random_scores(1, 60, 60, 3.0)
    quick = assign(scores, 1.0)
    assert quick.iterations < 80
    torch.testing.assert_close(quick.dense(), reference(scores, 1.0).exp(), atol=1e-3, rtol=1e-3)
    # If all keypoints have a partner, the dustbins only have each other, to which they converge slowly.
    slow = torch.full((1, 60, 60), -5.0)
    slow[0].fill_diagonal_(15.0)
    assert assign(slow, 1.0).iterations == 100


def test_other_items_of_a_batch_do_not_matter():
    """One pair converges at once, another does not."""
    scores = torch.cat([random_scores(1, 30, 30, 0.1), random_scores(1, 30, 30, 40.0)])
    together = assign(scores, -10.0).dense()
    for index in range(2):
        alone = assign(scores[index : index + 1], -10.0).dense()
        torch.testing.assert_close(together[index], alone[0], atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("threshold", [0.0, 0.2, 0.6])
def test_mutual_matches_are_the_references(threshold):
    scores = random_scores(4, 70, 50, 4.0, seed=2)
    scores[:, :40, :40] += 9 * torch.eye(40)
    scores[1, 3] = scores[1, 5]  # two equal rows: one of them has the match
    scores[2, :, 11] = scores[2, :, 4]
    expected, confidences = reference_matches(reference(scores, 3.0), threshold)
    found = sinkhorn.mutual_matches(assign(scores, 3.0), threshold)
    for index, (matches, confidence) in enumerate(found):
        rows = torch.nonzero(expected[index] >= 0).squeeze(1)
        assert len(rows) > 10
        if index in (1, 2):  # equal entries differ by rounding, and either may be the larger
            assert len(matches) == len(set(matches[:, 0].tolist())) == len(set(matches[:, 1].tolist()))
            assert abs(len(matches) - len(rows)) <= 1
            continue
        assert matches[:, 0].tolist() == rows.tolist()
        assert matches[:, 1].tolist() == expected[index][rows].tolist()
        torch.testing.assert_close(confidence, confidences[index][rows], atol=1e-3, rtol=1e-3)


def test_exact_ties_give_one_match_a_column():
    kernel = torch.zeros(1, 4, 3)
    kernel[0, :3, 1] = 0.3
    ones = torch.ones(1, 4), torch.ones(1, 3)
    (matches, confidence) = sinkhorn.mutual_matches(sinkhorn.Assignment(kernel, *ones, 1), 0.2)[0]
    assert matches.tolist() == [[0, 1]]
    torch.testing.assert_close(confidence, torch.tensor([0.3]))


def test_nothing_above_the_threshold():
    matches, confidence = sinkhorn.mutual_matches(assign(torch.zeros(1, 5, 6), 20.0), 0.2)[0]
    assert matches.shape == (0, 2)
    assert confidence.shape == (0,)
