"""Shares a stage's items with the workers of a Dask scheduler. The workspace must be on storage that all of them have.

A worker writes an item's results into the workspace (`work_items`), so a task carries nothing but numbers. A worker
that ends is replaced by Dask; items of one that stands still are given to others as well; what no worker could do, the
run does itself. dask.distributed is optional (system/extra_packages.py) and imported only here.
"""

from __future__ import annotations

import os
import queue
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

from .errors import Cancelled, UserError
from .events import Progress
from .setting_field import Settings, settings_of
from .stage import stage as stage_of
from .system.child import child_environment
from .system.extra_packages import extra
from .system.versions import versions
from .text import printable
from .wording import RESUME, Sentence, leave_out
from .work_items import Items, SharedItems
from .workspace import Workspace

# What must be the same everywhere for the same results.
COMPARED = ("recon3d", "python", "torch", "pycolmap", "opencv", "numpy", "scipy")
SECONDS_TO_CONNECT = 10
PATIENCE = 30.0  # seconds without any finished item after which the rest is given to other workers as well
SILENT = 20.0  # seconds without a heartbeat after which a worker gets no new items
TIMES_LONGEST = 3.0  # of the longest item so far: the same, where items take longer


PACKAGE = (
    "RECON3D_PACKAGE"  # environment variable of a worker: the engine's package, whatever its name is there
)


@dataclass(frozen=True)
class Order:
    """What a worker needs to know to do an item. made_from: the stage's inputs, such as weights, in the run."""

    root: str
    stage: str
    settings: dict[str, Any]
    fingerprint: str
    step: str
    made_from: Any
    versions: dict[str, str | None]


class Outcome(NamedTuple):
    """problem: empty if the item is done; refused: whether the worker must not take part, which ends the run."""

    problem: str = ""
    refused: bool = False
    seconds: float = 0.0


def _call(order: dict[str, Any], item: int) -> tuple[Any, ...]:
    """`do_item` of the worker's own engine."""
    import importlib
    import os

    package = os.environ.get("RECON3D_PACKAGE")  # PACKAGE: this is sent without its module
    if not package:
        return "A worker of the scheduler is not ours: start workers with recon3d worker ADDRESS.", True, 0.0
    return tuple(importlib.import_module(package + ".farm").do_item(order, item))


_call.__module__ = "__main__"  # so that it is sent as code: the package may have another name on a worker


def share_out(shared: SharedItems, address: str, progress: Progress) -> None:
    """Have the stage's items done by workers, and bring them in; nothing without an address.

    Raises UserError without the package or the scheduler, or if a worker does not fit; Cancelled.
    """
    if not address:
        return
    with _connected(address) as client:
        while (items := shared.open(progress)) is not None:
            missing = [item for item in range(items.count) if not shared.is_done(items, item)]
            if not missing:
                return
            failed = _Sharing(client, shared, items, progress, address).do(missing)
            shared.bring_in()
            if failed:
                reason = next(iter(failed.values()))
                progress.warning(
                    f"{len(failed)} of {items.count} parts failed on workers ({reason}): they are done here."
                )
                return


@contextmanager
def _connected(address: str) -> Iterator[Any]:
    """A client of the scheduler."""
    distributed = extra("Sharing work by Dask", "leave the scheduler empty", "distributed")
    try:
        client = distributed.Client(address, timeout=SECONDS_TO_CONNECT, set_as_default=False)
    except (OSError, ValueError) as error:  # TimeoutError is an OSError
        raise UserError(
            Sentence(
                f"No Dask scheduler answers at {printable(address)}: start one with dask scheduler, check the "
                "address, or ",
                leave_out("scheduler"),
                ".",
            ),
            2,
        ) from error
    try:
        # Not client.get_versions, which waits for every worker, also for one that stands still.
        theirs = client.sync(client.scheduler.versions, packages=[])
        other = theirs["packages"].get("distributed")
        if other != distributed.__version__:
            raise UserError(
                f"The scheduler at {printable(address)} has Dask {other} and this machine "
                f"{distributed.__version__}: install the same version on both.",
                2,
            )
        yield client
    finally:
        with suppress(Exception):
            client.close(timeout=2)


class _Sharing:
    """The items of one step, handed out and followed until all have ended."""

    def __init__(
        self, client: Any, shared: SharedItems, items: Items, progress: Progress, address: str
    ) -> None:
        self._client, self._items, self._progress, self._address = client, items, progress, address
        self._order = Order(
            str(shared.workspace.root),
            shared.stage.name,
            {each.name: getattr(shared.settings, each.name) for each in settings_of(type(shared.settings))},
            shared.fingerprint,
            items.step,
            shared.stage.inputs(shared.workspace, shared.settings),
            versions(),
        )
        self._ended: queue.Queue[Any] = queue.Queue()
        self._futures: dict[
            str, tuple[int, Any]
        ] = {}  # by key: the item and its task, of which it may have several
        self._failed: dict[int, str] = {}
        self._token = f"{time.time():.6f}"

    def do(self, missing: list[int]) -> dict[int, str]:
        """Returns why items failed, by their number."""
        remaining = set(missing)
        workers = self._workers()
        awake = [worker for worker, seen in workers.items() if seen > max(workers.values()) - SILENT]
        for item in missing:
            # Without a list, so that late workers get their share too, unless there is a worker to avoid.
            self._submit(item, awake if len(awake) < len(workers) else None)
        last, longest, warned = time.monotonic(), 0.0, False
        try:
            while remaining:
                self._progress.update(
                    self._items.count - len(remaining), self._items.count, self._items.message
                )
                ended = self._next()
                if ended is None:
                    warned = self._watch(warned)
                    if time.monotonic() - last > max(PATIENCE, TIMES_LONGEST * longest):
                        self._give_to_others(remaining)
                        last = time.monotonic()
                    continue
                item, outcome = ended
                last, longest = time.monotonic(), max(longest, outcome.seconds)
                if outcome.refused:
                    raise UserError(outcome.problem, 2)
                if outcome.problem:
                    self._failed[item] = outcome.problem
                else:
                    self._failed.pop(item, None)
                remaining.discard(item)
            self._progress.update(
                self._items.count - len(self._failed), self._items.count, self._items.message
            )
        finally:
            with suppress(Exception):
                self._client.cancel([future for _, future in self._futures.values()])
        return self._failed

    def _submit(self, item: int, workers: list[str] | None = None) -> None:
        key = f"recon3d-{self._order.stage}-{self._items.step}-{item}-{len(self._futures)}-{self._token}"
        future = self._client.submit(_call, asdict(self._order), item, key=key, pure=False, workers=workers)
        self._futures[key] = item, future
        future.add_done_callback(self._ended.put)

    def _next(self) -> tuple[int, Outcome] | None:
        """An item that has ended; None if there was none for a moment."""
        try:
            future = self._ended.get(timeout=0.25)
        except queue.Empty:
            return None
        item = self._futures[future.key][0]
        if future.status == "finished":
            return item, Outcome(*future.result())
        if future.status == "error":  # its worker ended again and again
            return item, Outcome(
                printable(" ".join(str(future.exception()).split()))[:200] or "its worker ended"
            )
        return None

    def _watch(self, warned: bool) -> bool:
        """Check the scheduler, and say once that no worker is there; returns whether that has been said."""
        if self._client.status not in ("running", "connecting"):
            raise UserError(
                Sentence(
                    f"The Dask scheduler at {printable(self._address)} has ended: start it again, and ",
                    RESUME,
                    "; finished work is kept.",
                )
            )
        if not warned and not self._workers():
            self._progress.warning(
                f"No worker is connected to {printable(self._address)}: start one with recon3d worker "
                f"{printable(self._address)}; the run waits."
            )
            return True
        return warned

    def _workers(self) -> dict[str, float]:
        """When the scheduler heard of each worker, in seconds, by its address."""
        workers = self._client.scheduler_info(n_workers=-1)["workers"]
        return {address: float(worker["last_seen"]) for address, worker in workers.items()}

    def _give_to_others(self, remaining: set[int]) -> None:
        """Every item left is given to the workers that do not have it; the first to finish counts."""
        holder = {
            key: worker
            for worker, keys in self._client.processing().items()
            for key in keys
            if key in self._futures
        }
        workers = set(self._workers())
        for item in sorted(remaining):
            has = {
                holder[key] for key, (other, _) in self._futures.items() if other == item and key in holder
            }
            if has and (others := workers - has):
                self._submit(item, sorted(others))


# -- on a worker ------------------------------------------------------------------------------------


class _Worker:
    """What a worker keeps from item to item."""

    opened: tuple[Order, SharedItems, Items] | None = None


def do_item(order_values: dict[str, Any], item: int) -> Outcome:
    """Do one item on this machine; called by Dask. Never raises."""
    start, order = time.monotonic(), Order(**order_values)
    try:
        if problem := _misfit(order):
            return Outcome(problem, refused=True)
        workspace = Workspace(order.root)
        progress = Progress(cancelled=workspace.is_cancelled, stage=order.stage, paused=workspace.is_paused)
        if _Worker.opened is None or _Worker.opened[0] != order:
            from .colmap.calls import less_log

            less_log()
            _Worker.opened = None  # frees the networks of the stage before
            shared = SharedItems(workspace, stage_of(order.stage), _settings(order), order.fingerprint)
            opened = shared.open(progress)
            if opened is None or opened.step != order.step:
                return Outcome("its worker was late")
            _Worker.opened = order, shared, opened
        _, shared, items = _Worker.opened
        shared.do(items, item, progress)
    except Cancelled:
        return Outcome("stopped")
    except Exception as error:
        return Outcome(f"{socket.gethostname()}: {printable(' '.join(str(error).split()))[:200]}")
    return Outcome(seconds=time.monotonic() - start)


def _settings(order: Order) -> Settings:
    return stage_of(order.stage).settings(**order.settings)


def _misfit(order: Order) -> str:
    """Why this worker must not do these items, a sentence; empty if it may."""
    host, ours = socket.gethostname(), versions()
    for name in COMPARED:
        if ours[name] != order.versions[name]:
            return (
                f"The worker on {host} has {name} {ours[name]} and the run {order.versions[name]}: install the same "
                "version there, and start the worker again."
            )
    workspace = Workspace(order.root)
    if workspace.read_state().stage(order.stage).fingerprint != order.fingerprint:
        return (
            f"The worker on {host} does not see {order.root} as this machine does: put it on storage that all machines "
            "have at the same path."
        )
    try:
        made_from = stage_of(order.stage).inputs(workspace, _settings(order))
    except UserError as error:
        return f"The worker on {host} cannot take part: {error}"
    if made_from != order.made_from:
        return (
            f"The worker on {host} has other weights or methods for the stage {order.stage}: install the same engine "
            "and weights there."
        )
    return ""


def run_worker(address: str) -> int:
    """Work for a scheduler until it ends; the exit code."""
    extra("A worker", "run without one", "distributed")
    # OPENBLAS_NUM_THREADS as in a run (system/worker.py). Dask starts the process that works, and again when it ends.
    os.environ.update(child_environment(**{PACKAGE: __package__ or "", "OPENBLAS_NUM_THREADS": "1"}))
    from distributed.cli.dask_worker import main

    # One item at a time, which uses the cores itself; it keeps the memory that the settings allow.
    options = ["--nworkers", "1", "--nthreads", "1", "--memory-limit", "0", "--no-dashboard"]
    main([address, *options, "--death-timeout", "60"], standalone_mode=False)
    return 0
