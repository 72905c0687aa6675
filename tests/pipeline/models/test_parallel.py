"""Parallel and look-ahead work: order, threads, failures, and the limit of the look-ahead."""

import threading

import pytest
import torch

from blender_recon3d.pipeline.models.parallel import in_parallel, prefetch
from blender_recon3d.pipeline.system.cpu import cores

CPU = torch.device("cpu")


@pytest.fixture
def four_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    yield
    torch.set_num_threads(before)


@pytest.mark.skipif(cores() < 2, reason="one core works on one thing at a time")
def test_results_are_in_order_and_each_has_one_thread(four_threads):
    meeting = threading.Barrier(2, timeout=60)  # both must run at the same time to pass

    def work(item: int) -> tuple[int, int]:
        meeting.wait()
        return item * item, torch.get_num_threads()

    assert in_parallel(work, [3, 5], CPU) == [(9, 1), (25, 1)]
    assert torch.get_num_threads() == 4
    # One item gets one thread too: with two, products round differently.
    assert in_parallel(lambda item: (item, torch.get_num_threads()), [7], CPU) == [(7, 1)]
    assert in_parallel(str, [], CPU) == []


def test_a_failure_is_raised_and_restores_the_threads(four_threads):
    with pytest.raises(ZeroDivisionError):
        in_parallel(lambda item: 1 // item, [1, 0, 2], CPU)
    assert torch.get_num_threads() == 4


def test_ahead_is_one_item_ahead():
    begun: list[int] = []
    results = prefetch(lambda item: begun.append(item) or item + 1, iter(range(6)))
    assert begun == []
    for expected in range(1, 7):
        assert next(results) == expected
        assert len(begun) <= expected + 1
    assert list(results) == []
    assert begun == list(range(6))


def test_a_failure_ahead_is_raised_when_its_turn_comes():
    results = prefetch(lambda item: 6 // item, [3, 2, 0, 1])
    assert [next(results), next(results)] == [2, 3]
    with pytest.raises(ZeroDivisionError):
        next(results)
