"""What a stage declares about itself, and the list of stages in the order of the data flow.

Each is declared as `STAGE` in its own module in `stages`; there is no other list. The job that runs them, the command
line, the panel and the report all ask here. Stage modules import heavy packages only inside functions, so that Blender
can read the declarations too. Standard library only.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

if TYPE_CHECKING:
    from .events import Progress
    from .job_forecast import Facts
    from .results import Damage
    from .setting_field import Settings
    from .settings import JobSettings
    from .work_items import Items
    from .workspace import Workspace

Paths = Callable[["Workspace"], Sequence[Path]]


@dataclass(frozen=True)
class Phase:
    """A part of a stage, for its time left. says: the prefix of its progress messages; share: of the stage's time;
    begins, ends: done / total at its start and end; equal if items are not counted within it."""

    says: str
    share: float
    begins: float = 0.0
    ends: float = 1.0


Settled = tuple["JobSettings", Callable[[], None]]


def _none(workspace: Workspace) -> Sequence[Path]:
    return ()


def _nothing(workspace: Workspace, settings: Any) -> Any:
    return ""


def _never(settings: Any) -> bool:
    return False


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A stage. What users see:

    name: its key in files and on the command line; title: its name in the panel while it runs; makes: what there is
    when it is done; makes_text: the same in a few words, for a stage that the panel offers as the last one.

    What decides whether it runs again:

    version: increase it when the result changes for the same input; needs: the stages whose results it reads; after:
    stages that run before it without being needed; settings: their class; not_in_fingerprint: settings that do not
    change the result (within rounding); not_in_fingerprint_as: settings that do not while they have this value; inputs:
    what else the result depends on (files, weights), as JSON-compatible data; also the place to reject what cannot work
    before anything runs.

    What it does:

    run: does the work, continuing from valid partial results, and returns a summary whose `message` is for users;
    owns: all it writes, complete or not: removed before it runs from scratch; leaves: files and folders that must exist
    when it is done, for others to read; may_leave: those that may exist; forecast: the seconds it takes, in units of
    `job_forecast`; phases: how its time is distributed, where item counts do not show it.

    What few stages need:

    left_out: whether these settings make it do nothing; its dependents then depend on the stage that it needs;
    inside: the stage whose files also contain this one's results; take_out: removes them from there;
    still_valid: whether its results are valid for this job although its inputs look changed;
    look_closer: finds damage that sizes and checksums of files do not show;
    set_aside: moves per-photo results into a folder before the stage is dropped for other photos;
    take_back: restores what is still valid before it runs (`earlier_work`), from a map of current to earlier photo
    names; grows_with: it continues from an earlier result for other photos, which it set aside, if its own settings and
    those of these stages are unchanged; `earlier_work.same_photos` tells which photos are the same;
    settle: decides settings that are only known when the job begins, and returns a call that records them.
    `begins` tells whether the stage would start from scratch with these settings.
    """

    name: str
    title: str
    makes: str
    makes_text: str = ""

    version: int
    needs: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    settings: type[Settings]
    not_in_fingerprint: frozenset[str] = frozenset({"device", "scheduler"})
    not_in_fingerprint_as: Mapping[str, Any] = field(default_factory=dict)
    inputs: Callable[[Workspace, Any], Any] = _nothing

    run: Callable[[Workspace, Any, Progress], dict[str, Any]]
    owns: Paths = _none
    leaves: Paths
    may_leave: Paths = _none
    forecast: Callable[[Facts], float]
    phases: tuple[Phase, ...] = ()

    left_out: Callable[[Any], bool] = _never
    inside: str = ""
    take_out: Callable[[Workspace], None] | None = None
    still_valid: Callable[[Workspace, JobSettings, Progress], bool] | None = None
    look_closer: Callable[[Workspace], list[Damage]] | None = None
    set_aside: Callable[[Workspace, Path], None] | None = None
    take_back: Callable[[Workspace, Mapping[str, str], Progress], None] | None = None
    grows_with: tuple[str, ...] = ()
    prepare: Callable[[Workspace, Any, Progress], None] | None = None
    items: Callable[[Workspace, Any, Progress], Items | None] | None = None
    settle: Callable[[Workspace, JobSettings, Callable[[JobSettings], bool]], Settled] | None = None


class _Names(Sequence[str]):
    """The stages' names in order, read from their modules on first use."""

    @overload
    def __getitem__(self, place: int) -> str: ...

    @overload
    def __getitem__(self, place: slice) -> tuple[str, ...]: ...

    def __getitem__(self, place: int | slice) -> str | tuple[str, ...]:
        return tuple(each.name for each in all_stages())[place]

    def __len__(self) -> int:
        return len(all_stages())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    __hash__ = None  # type: ignore[assignment]


STAGES = _Names()


@cache
def all_stages() -> tuple[Stage, ...]:
    """All stages, in order."""
    folder = importlib.import_module(".stages", __package__)
    names = [module.name for module in pkgutil.iter_modules(folder.__path__)]
    return _in_order([importlib.import_module(f".{name}", folder.__name__).STAGE for name in names])


def _in_order(stages: Iterable[Stage]) -> tuple[Stage, ...]:
    """Each after those it needs, and as early as possible; ties by name."""
    by_name = {each.name: each for each in stages}

    @cache
    def depth(name: str) -> int:
        before = (*by_name[name].needs, *by_name[name].after)
        return 1 + max((depth(other) for other in before), default=0)

    return tuple(sorted(by_name.values(), key=lambda each: (depth(each.name), each.name)))


def stage(name: str) -> Stage:
    return next(each for each in all_stages() if each.name == name)


def up_to(name: str) -> tuple[str, ...]:
    """The names of the stages up to and including this one."""
    return STAGES[: STAGES.index(name) + 1]


def dependents(name: str) -> tuple[str, ...]:
    """The names of the stages that depend on this one, directly or indirectly."""
    names: list[str] = []
    for other in all_stages():
        if any(need == name or need in names for need in other.needs):
            names.append(other.name)
    return tuple(names)


def guests(name: str) -> tuple[Stage, ...]:
    """The stages whose results are stored in this one's files."""
    return tuple(other for other in all_stages() if other.inside == name)


def last_stages() -> tuple[str, ...]:
    """The names of the stages that the panel offers as the last one."""
    return tuple(each.name for each in all_stages() if each.makes_text)
