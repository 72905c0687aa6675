"""Plan the setup for a dialog, before anything is done. Quick, without network access or processes."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..pipeline.errors import UserError
from ..pipeline.files.user_path import user_path
from . import locks
from . import package_sources as places
from . import target as folder
from .download_sizes import Forecast, forecast, free_space, size_text, table
from .package_sources import Sources
from .redaction import redact
from .requirements import pins
from .steps import unchecked
from .variants import Variant, choose, platform_key

_MAIN = Path(__file__).with_name("__main__.py")
TYPICAL_SPEED = 3 << 20  # bytes per second, for download and installation
_LONGEST_PATH = 259  # Windows without long paths


@dataclass(frozen=True)
class Plan:
    """lines: shown in the dialog. problems: messages; setup cannot start if there is one. download, disk: bytes, 0 if
    unknown."""

    target: Path
    variant: Variant
    sources: Sources
    lines: tuple[str, ...]
    problems: tuple[str, ...]
    download: int
    disk: int

    @property
    def sentence(self) -> str:
        """A sentence with download size, disk space and time; empty if the sizes are unknown."""
        if not self.download:
            return ""
        return (
            f"Downloads {size_text(self.download)} once, needs {size_text(self.disk)} of disk, and takes about "
            f"{max(1, round(self.download / TYPICAL_SPEED / 60))} min."
        )

    @property
    def able(self) -> bool:
        return not self.problems


def plan(
    target: str | Path,
    variant: str = "auto",
    index: str = "",
    find_links: str = "",
    proxy: str = "",
    online: bool = True,
    lock: str = "",
    environ: Mapping[str, str] = os.environ,
) -> Plan:
    """The plan for an environment in TARGET.

    variant: "auto", "cuda", "mps" or "cpu". index: URLs of package indexes, separated by spaces, the first one instead
    of PyPI, or a folder with wheels. online: Blender's online access. lock: a file with the checksums of the user's own
    packages. Raises UserError for a variant that is not available on this system.
    """
    target = user_path(target).absolute()
    chosen = choose(variant)
    sources = Sources(index.strip(), find_links.strip(), proxy.strip(), not online, lock.strip())
    sizes = forecast(chosen)
    return Plan(
        target=target,
        variant=chosen,
        sources=sources,
        lines=tuple(_lines(target, chosen, sources, sizes, environ)),
        problems=tuple(_problems(target, sources, sizes)),
        download=sizes.download if sizes else 0,
        disk=sizes.installed if sizes else 0,
    )


def command(plan: Plan, python: str = sys.executable, extra: str = "") -> list[str]:
    """The command that runs the plan as a separate process, with Blender's Python or another. extra: optional packages
    to add to an engine that is set up, instead."""
    options = ["--target", str(plan.target), "--variant", plan.variant.name]
    choices = (
        ("--index", plan.sources.index),
        ("--find-links", plan.sources.find_links),
        ("--proxy", plan.sources.proxy),
        ("--lock", plan.sources.lock),
    )
    for name, value in choices:
        options += [name, value] if value else []
    if plan.sources.offline:
        options.append("--offline")
    return [python, "-I", "-X", "utf8", str(_MAIN), *(["add", extra] if extra else ["install"]), *options]


def source_problem(sources: Sources) -> str:
    """Why nothing can be downloaded, as a sentence; empty if it may be tried."""
    for text in (*sources.parts, *sources.links):
        local = places.local_path(text)
        if local is not None and not local.exists():
            return f"{text} does not exist: set the URL of an index, or a folder with wheels."
    if not sources.offline or sources.local:
        return ""
    return (
        "Blender's online access is off: allow it in Preferences > System > Network, or set an index or a "
        "folder with wheels on this machine."
    )


def _lines(
    target: Path, variant: Variant, sources: Sources, sizes: Forecast | None, environ: Mapping[str, str]
) -> list[str]:
    names = ", ".join(pin.partition("==")[0] for pin in pins())
    lines = [f"Packages: {names}", f"torch for {variant.name.upper()}: {variant.reason}"]
    lines.append(f"From: {_from(variant, sources, environ)}")
    lines.append(f"Checked: {_checked(variant, sources, environ)}")
    if sizes:
        about = "about "
        guess = f" ({', '.join(sizes.guessed)} estimated)" if sizes.guessed else ""
        elsewhere = "; your index may differ" if sources.given or places.pip_places(environ) else ""
        lines.append(f"Download: {about}{size_text(sizes.download)}{guess}{elsewhere}")
        lines.append(f"On disk: {about}{size_text(sizes.installed)}, {size_text(sizes.peak)} during setup")
    lines.append(f"Into: {target}")
    free = free_space(target)
    if free is not None:
        lines.append(f"Free space there: {size_text(free)}")
    lines.append("Blender's own Python is not changed; Remove Engine deletes the folder.")
    return lines


def _checked(variant: Variant, sources: Sources, environ: Mapping[str, str]) -> str:
    tool = "pip" if places.prefers_pip(sources, environ) else "uv"
    try:
        lock = locks.read("engine", sources.lock)
    except UserError as error:
        return str(error)
    sums = f"the sha256 in {sources.lock}" if sources.lock else "this release's sha256"
    if unchecked(lock, sources, variant, tool, environ):
        return f"every file against {sums}, except torch, for which {variant.index} is trusted"
    return f"every file against {sums}"


def _from(variant: Variant, sources: Sources, environ: Mapping[str, str]) -> str:
    if sources.given:
        return sources.where()
    tool = "pip" if places.prefers_pip(sources, environ) else "uv"
    own = places.pip_places(environ) if tool == "pip" else {}
    text = own.get("index-url", "PyPI") if "no-index" not in own else ""
    extra = [own[name] for name in ("extra-index-url", "find-links") if name in own]
    if places.needs_pytorch(sources, variant, tool, environ):
        extra.append(variant.index)
    if tool == "uv" and places.uv_places(environ):
        text = "uv's own settings"
    indexes = ", ".join(part for part in (text, *" ".join(extra).split()) if part)
    return redact(indexes + (" (pip's own settings)" if own else ""))


def _problems(target: Path, sources: Sources, sizes: Forecast | None) -> list[str]:
    problems = []
    try:
        locks.read("engine", sources.lock)
    except UserError as error:
        problems.append(str(error))
    if problem := source_problem(sources):
        problems.append(problem)
    if sizes is None and not sources.given:
        systems = ", ".join(sorted({name.partition("/")[0] for name in table()["builds"]}))
        problems.append(
            f"There are no engine packages for this system ({platform_key()}; only for {systems}): set an "
            "index that has them."
        )
    if target.is_symlink() or (target.exists() and not _usable(target)):
        problems.append(f"{target} contains files that this add-on did not create: choose another folder.")
    free = free_space(target)
    begun = folder.is_ours(target)  # then it is partly installed
    if sizes and not sources.given and not begun and free is not None and free < sizes.peak:
        problems.append(
            f"{size_text(free)} are free in {target}, but about {size_text(sizes.peak)} are needed: free "
            "some space, or choose another folder."
        )
    if sizes and not _long_paths():
        excess = len(str(target)) + 1 + sizes.longest - _LONGEST_PATH
        if excess > 0:
            problems.append(
                f"The path {target} is {excess} characters too long for Windows: choose a folder with a shorter path, "
                "such as C:\\recon3d, or enable long paths in Windows."
            )
    return problems


def _usable(target: Path) -> bool:
    try:
        return folder.is_ours(target) or (target.is_dir() and not any(target.iterdir()))
    except OSError:
        return False


def _long_paths() -> bool:
    """Whether paths may be longer than Windows' old limit."""
    if sys.platform != "win32":
        return True
    import winreg

    try:
        key = winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, r"SYSTEM\CurrentControlSet\Control\FileSystem")
        with key:
            return bool(winreg.QueryValueEx(key, "LongPathsEnabled")[0])
    except OSError:
        return False
