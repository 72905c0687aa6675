"""The order and sources of installation, such that every file is checked and no name is looked up in two indexes.

From PyPI, or from the user's own sources, everything in the lock is installed in one step, with each file checked
against its sha256. A torch build from pytorch.org comes from that index alone, in a separate step.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from . import package_sources as places
from .locks import BUILT_APART, Locked, needs_card
from .package_sources import Sources
from .requirements import pins, versions
from .variants import Variant


@dataclass(frozen=True)
class Step:
    """One run of pip or uv. lines: requirements. checked: each has its sha256, and nothing else is installed; otherwise
    dependencies come from the same source."""

    lines: tuple[str, ...]
    sources: Sources
    checked: bool = True


def ways(
    lock: Sequence[Locked],
    sources: Sources,
    variant: Variant,
    tool: str,
    environ: Mapping[str, str],
    system: str = sys.platform,
) -> list[list[Step]]:
    """The ways to install everything, the best first; the next ones are for indexes without that torch build."""
    lock = [entry for entry in lock if entry.is_for(system)]
    if places.needs_pytorch(sources, variant, tool, environ):
        return [_with_pytorch(lock, sources, variant)]
    choices = [[_all(lock, builds, sources)] for builds in _builds(lock, variant, bool(sources.lock))]
    return choices or [[_all(lock, {}, sources)]]


def _builds(lock: Sequence[Locked], variant: Variant, own: bool) -> Iterator[dict[str, str]]:
    """{package: label} of compatible builds: the requested one, PyPI's, then others in the user's own lock."""
    first, second = (_labels(lock, name, variant, own) for name in BUILT_APART)
    for label in first:
        for other in second:
            if other in (label, ""):
                yield dict(zip(BUILT_APART, (label, other), strict=True))


def _labels(lock: Sequence[Locked], name: str, variant: Variant, own: bool) -> list[str]:
    there = [entry.label for entry in lock if entry.name == name]
    wanted = [variant.backend, "", *(there if own else ())]
    return [label for label in dict.fromkeys(wanted) if label in there]


def _all(lock: Sequence[Locked], builds: Mapping[str, str], sources: Sources) -> Step:
    """Everything, with torch first, so that nothing else is downloaded if it is missing."""
    cards = builds.get("torch", "") == "" or bool(sources.lock)
    chosen = [
        entry
        for entry in lock
        if (
            entry.label == builds[entry.name] if entry.name in builds else cards or not needs_card(entry.name)
        )
    ]
    chosen.sort(key=lambda entry: entry.name not in BUILT_APART)
    return Step(tuple(entry.line for entry in chosen), sources)


def _with_pytorch(lock: Sequence[Locked], sources: Sources, variant: Variant) -> list[Step]:
    rest = [entry for entry in lock if entry.name not in BUILT_APART and not needs_card(entry.name)]
    only = replace(sources, index=variant.index, find_links="")
    built = [entry for entry in lock if entry.name in BUILT_APART and entry.label == variant.backend]
    if len(built) == len(BUILT_APART):
        torch = Step(tuple(entry.line for entry in built), only)
    else:
        wanted = versions(pins())
        lines = tuple(f"{name}=={wanted[name]}+{variant.backend}" for name in BUILT_APART)
        torch = Step(lines, only, checked=False)
    return [Step(tuple(entry.line for entry in rest), sources), torch]


def unchecked(
    lock: Sequence[Locked], sources: Sources, variant: Variant, tool: str, environ: Mapping[str, str]
) -> bool:
    """Whether torch comes from pytorch.org in a build without checksums in the lock."""
    return any(not step.checked for way in ways(lock, sources, variant, tool, environ) for step in way)
