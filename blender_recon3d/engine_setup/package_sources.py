"""Package sources: PyPI and pytorch.org, the configuration of pip or uv, or sources set in the preferences.

Sources in the preferences replace all others. The configuration of pip and uv stays in effect: environment variables
(PIP_*, UV_*, HTTPS_PROXY, NO_PROXY) and their files.
"""

from __future__ import annotations

import configparser
import os
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from ..pipeline.files.user_path import user_path
from ..pipeline.system.programs import NO_CURRENT_FOLDER
from .redaction import redact
from .variants import Variant

# pip's settings for package sources, and its connection settings, which a user's index needs too.
_PLACES = ("index-url", "extra-index-url", "find-links", "no-index")
_CONNECTION = ("cert", "client-cert", "proxy", "trusted-host", "timeout", "retries", "keyring-provider")
_UV_PLACES = (
    "UV_INDEX", "UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS", "UV_NO_INDEX",
    "UV_TORCH_BACKEND",
)  # fmt: skip
# Settings that would install packages outside the environment, or none at all.
_UNWANTED = (
    "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_PYTHON", "PIP_DRY_RUN", "PIP_NO_DEPS", "PIP_REQUIRE_HASHES",
    "PIP_REQUIREMENT", "PIP_NO_BINARY", "UV_SYSTEM_PYTHON", "UV_TARGET", "UV_PREFIX", "UV_NO_BINARY", "UV_PYTHON",
    "UV_NO_PROGRESS", "UV_NO_VERIFY_HASHES", "UV_REQUIRE_HASHES", "UV_OVERRIDE", "UV_NO_DEPS",
    "VIRTUAL_ENV", "CONDA_PREFIX", "PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP",
    "PYTHONEXECUTABLE", "__PYVENV_LAUNCHER__",
)  # fmt: skip


@dataclass(frozen=True)
class Sources:
    """Sources set by the user. index: URLs of package indexes, separated by spaces, the first instead of PyPI.
    find_links: a folder or page with wheels. proxy: URL. offline: no network access. lock: a file with the sha256 of
    the user's own packages, instead of the add-on's."""

    index: str = ""
    find_links: str = ""
    proxy: str = ""
    offline: bool = False
    lock: str = ""

    @property
    def given(self) -> bool:
        return bool(self.indexes or self.links)

    @property
    def parts(self) -> list[str]:
        """The entries of `index`; an existing folder may have spaces in its name."""
        there = local_path(self.index) if self.index else None
        return [self.index] if there is not None and there.exists() else self.index.split()

    @property
    def indexes(self) -> list[str]:
        """The indexes as URLs; folders of wheels without an index layout are in `links`."""
        return [_url(text) for text in self.parts if not _is_flat(text)]

    @property
    def links(self) -> list[str]:
        flat = [text for text in self.parts if _is_flat(text)]
        return [_absolute(text) for text in (*flat, *([self.find_links] if self.find_links else []))]

    @property
    def local(self) -> bool:
        """Whether all sources are local."""
        return self.given and all(local_path(text) is not None for text in self.indexes + self.links)

    def where(self) -> str:
        """For people."""
        return redact(", ".join(self.indexes + self.links))


def local_path(text: str) -> Path | None:
    """The path behind a file:// URL or a path; None for another URL."""
    parts = urlsplit(text)
    if parts.scheme == "file":
        return Path(url2pathname(unquote(parts.path) if sys.platform != "win32" else parts.path))
    if len(parts.scheme) > 1:  # one letter is a drive
        return None
    return user_path(text)


def _is_flat(text: str) -> bool:
    folder = local_path(text)
    return folder is not None and folder.is_dir() and any(folder.glob("*.whl"))


def _absolute(text: str) -> str:
    """A folder's absolute path, since the tools run in another folder; URLs are unchanged."""
    folder = local_path(text)
    return text if folder is None or text.startswith("file:") else str(folder.absolute())


def _url(text: str) -> str:
    folder = local_path(text)
    return text if folder is None or text.startswith("file:") else folder.absolute().as_uri()


# -- what pip and uv are configured for -------------------------------------------------------------


def pip_settings(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """pip's settings for package sources, from its files and PIP_* variables."""
    settings: dict[str, str] = {}
    parser = configparser.RawConfigParser()
    for path in _pip_files(environ):
        try:
            parser.read(path, "utf-8")
        except (configparser.Error, OSError, UnicodeDecodeError):
            continue  # pip itself will report it
    for section in ("global", "install"):
        if parser.has_section(section):
            settings.update(parser.items(section))
    for name in (*_PLACES, *_CONNECTION):
        value = environ.get("PIP_" + name.upper().replace("-", "_"), "")
        if value:
            settings[name] = value
    return {name: value for name, value in settings.items() if name in (*_PLACES, *_CONNECTION) and value}


def _pip_files(environ: Mapping[str, str]) -> list[Path]:
    pip_config = environ.get("PIP_CONFIG_FILE", "")
    if pip_config == os.devnull:
        return []
    home = Path(environ.get("HOME") or Path.home())
    if sys.platform == "win32":
        roots = (environ.get("PROGRAMDATA", ""), environ.get("APPDATA", ""))
        files = [Path(root, "pip", "pip.ini") for root in roots if root]
        files.append(home / "pip" / "pip.ini")
    else:
        system = environ.get("XDG_CONFIG_DIRS") or "/etc/xdg"
        files = [Path(folder, "pip", "pip.conf") for folder in system.split(":")]
        config = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
        files += [Path("/etc/pip.conf"), home / ".pip" / "pip.conf", config / "pip" / "pip.conf"]
        if sys.platform == "darwin":
            files.append(home / "Library" / "Application Support" / "pip" / "pip.conf")
    return files + ([Path(pip_config)] if pip_config else [])


def pip_places(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The part of pip's settings that defines package sources."""
    return {name: value for name, value in pip_settings(environ).items() if name in _PLACES}


def uv_places(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether uv has configured indexes."""
    if any(environ.get(name) for name in _UV_PLACES):
        return True
    home = Path(environ.get("HOME") or Path.home())
    config = Path(environ.get("APPDATA") or environ.get("XDG_CONFIG_HOME") or home / ".config")
    for path in (environ.get("UV_CONFIG_FILE", ""), config / "uv" / "uv.toml", "/etc/uv/uv.toml"):
        try:
            settings = tomllib.loads(Path(path).read_text("utf-8")) if path else {}
        except (OSError, ValueError):
            continue
        keys = {*settings, *settings.get("pip", {})}
        if keys & {"index", "index-url", "extra-index-url", "find-links", "no-index", "torch-backend"}:
            return True
    return False


def prefers_pip(sources: Sources, environ: Mapping[str, str] = os.environ) -> bool:
    """Whether pip has configured sources that uv does not know."""
    return not sources.given and bool(pip_places(environ)) and not uv_places(environ)


def needs_pytorch(sources: Sources, variant: Variant, tool: str, environ: Mapping[str, str]) -> bool:
    """Whether pytorch.org must be added: not if the user has set sources for torch."""
    if sources.given or not variant.backend:
        return False
    if tool == "uv":
        return not uv_places(environ)
    places = pip_places(environ)
    return not (
        {"index-url", "find-links", "no-index"} & set(places) or "torch" in places.get("extra-index-url", "")
    )


# -- for the tools ----------------------------------------------------------------------------------


def arguments(tool: str, sources: Sources, environ: Mapping[str, str]) -> list[str]:
    """The options of `pip install` or `uv pip install` for package sources."""
    options = []
    for number, index in enumerate(sources.indexes):
        first, other = (
            ("--default-index", "--index") if tool == "uv" else ("--index-url", "--extra-index-url")
        )
        options += [other if number else first, index]
    for links in sources.links:
        options += ["--find-links", links]
    if sources.links and not sources.indexes:
        options.append("--no-index")
    if tool == "uv" and sources.given:
        # As in pip: any of the user's indexes may have the file, which is identified by its sha256.
        options += ["--no-config", "--index-strategy", "unsafe-best-match"]
    if tool == "uv" and sources.offline:
        options.append("--offline")
    return options


def environment(sources: Sources, environ: Mapping[str, str], cache: Path) -> dict[str, str]:
    """The environment variables of pip and uv. cache: their cache folder, unless the user has set one."""
    clean = {name: value for name, value in environ.items() if name not in _UNWANTED}
    if sources.given:
        connection = {name: value for name, value in pip_settings(environ).items() if name in _CONNECTION}
        for name in _PLACES:
            clean.pop("PIP_" + name.upper().replace("-", "_"), None)
        for name in _UV_PLACES:
            clean.pop(name, None)
        for name, value in connection.items():
            clean["PIP_" + name.upper().replace("-", "_")] = value
        clean["PIP_CONFIG_FILE"] = os.devnull  # the lists in its files cannot be emptied otherwise
    if sources.proxy:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            clean[name] = clean[name.lower()] = sources.proxy
        clean["PIP_PROXY"] = sources.proxy
    if certificates := pip_settings(environ).get("cert"):
        clean.setdefault("SSL_CERT_FILE", certificates)  # for uv
    clean.setdefault("PIP_CACHE_DIR", str(cache / "pip"))
    clean.setdefault("UV_CACHE_DIR", str(cache / "uv"))
    clean.update(
        PIP_USER="0", PIP_REQUIRE_VIRTUALENV="0", PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_NO_INPUT="1",
        PIP_ROOT_USER_ACTION="ignore", PIP_NO_COLOR="1", NO_COLOR="1", UV_NO_MODIFY_PATH="1",
        PYTHONSAFEPATH="1", **NO_CURRENT_FOLDER,
    )  # fmt: skip
    return clean
