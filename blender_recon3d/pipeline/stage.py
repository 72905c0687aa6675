"""What a stage says of itself, and which stages there are, in the order in which data runs through them.

Each is declared as `STAGE` in a module of its own in `stages`; nothing else lists them. Everything else asks here: the
job that runs them, the command line, the panel, the report. Their modules import what is heavy only inside functions,
so that Blender can ask too. Standard library only.
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
    from .workspace import Workspace

Paths = Callable[["Workspace"], Sequence[Path]]


@dataclass(frozen=True)
class Phase:
    """A part of a stage, for its time left. says: how the messages of its progress begin; share: of the stage's time;
    begins, ends: done over total at its two ends, equal where these do not count within it."""

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
    """A stage. What a person reads:

    name: its key in files and on the command line; title: what the panel calls it while it runs; makes: what there is
    once it is done; makes_text: the same in a few words, for a stage that the panel offers as the last one.

    What decides whether it runs again:

    version: raise it when the result changes for the same input; needs: the stages whose results it reads; after: those
    that run before it without being needed; settings: their class; not_in_fingerprint: the settings that do not change
    the result (within rounding); not_in_fingerprint_as: those that do not while they have this value; inputs: what the
    result depends on besides (files, weights), as something JSON can hold, and the place to refuse what cannot work,
    before anything runs.

    What it does:

    run: does it, continuing from what is there as far as that is whole, and returns a summary whose `message` is for
    people; owns: all it writes, whole or in part: removed before it runs anew; leaves: the files and folders that must
    be there when it is done, for others to read; may_leave: those that may; forecast: seconds it takes, in units of
    `job_forecast`; phases: how these are spread over it, where its items do not tell.

    What few stages need:

    left_out: whether these settings make it do nothing; what depends on it then depends on the stage it needs;
    inside: the stage among whose files this one's results are; take_out: removes them from there;
    still_valid: whether its results hold for this job although its inputs look changed;
    look_closer: damage that sizes and ends of files do not show;
    set_aside: moves what holds for single photos into a folder, before the stage is dropped for other photos;
    take_back: brings back, before it runs, what still holds (`earlier_work`): earlier names of photos by those of now;
    settle: settings that are decided only when the job begins, and a call that records them. `begins` says whether
    the stage would begin anew with these settings.
    """

    name: str
    title: str
    makes: str
    makes_text: str = ""

    version: int
    needs: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    settings: type[Settings]
    not_in_fingerprint: frozenset[str] = frozenset({"device"})
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
    settle: Callable[[Workspace, JobSettings, Callable[[JobSettings], bool]], Settled] | None = None


class _Names(Sequence[str]):
    """The stages' names in their order, read from their modules when first asked for."""

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
    """In their order."""
    folder = importlib.import_module(".stages", __package__)
    names = [module.name for module in pkgutil.iter_modules(folder.__path__)]
    return _in_order([importlib.import_module(f".{name}", folder.__name__).STAGE for name in names])


def _in_order(stages: Iterable[Stage]) -> tuple[Stage, ...]:
    """Each after those it needs, and as early as these allow; by name where that leaves a choice."""
    by_name = {each.name: each for each in stages}

    @cache
    def depth(name: str) -> int:
        before = (*by_name[name].needs, *by_name[name].after)
        return 1 + max((depth(other) for other in before), default=0)

    return tuple(sorted(by_name.values(), key=lambda each: (depth(each.name), each.name)))


def stage(name: str) -> Stage:
    return next(each for each in all_stages() if each.name == name)


def up_to(name: str) -> tuple[str, ...]:
    """The names of the stages to and with this one."""
    return STAGES[: STAGES.index(name) + 1]


def dependents(name: str) -> tuple[str, ...]:
    """The names of the stages that depend on this one, directly or not."""
    found: list[str] = []
    for other in all_stages():
        if any(need == name or need in found for need in other.needs):
            found.append(other.name)
    return tuple(found)


def guests(name: str) -> tuple[Stage, ...]:
    """The stages whose results are among this one's files."""
    return tuple(other for other in all_stages() if other.inside == name)


def last_stages() -> tuple[str, ...]:
    """The names of those that the panel offers as the last one."""
    return tuple(each.name for each in all_stages() if each.makes_text)
