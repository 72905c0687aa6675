"""Which weights exist, under which license, and where on this machine. Standard library only.

Three sets: "bundled" (ours, free for any use), "official" (the authors', with torchvision's ImageNet weights for
EfficientNet) and a folder of the user's. Files are looked up in the user's cache, then among the bundled ones. Bundled
ones are NAME.safetensors with a card NAME.json; adding some needs no change here.
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import UserError
from ..files import json_values
from ..files.regular import read_regular
from ..files.user_path import user_path
from ..paths import BUNDLED_WEIGHTS
from ..wording import Sentence, option, terminal_only, use
from .network import WeightsEntry, WeightsFile
from .networks import networks

CACHE_VARIABLE = "RECON3D_CACHE"

# The files of weights by the networks' names for them, and those that can be fetched.
FILES: dict[str, WeightsFile] = {
    file.name: file for network in networks().values() for file in network.weights
}
FETCHABLE: tuple[WeightsEntry, ...] = tuple(entry for file in FILES.values() for entry in file.published)


def cache_folder() -> Path:
    """The user's cache: RECON3D_CACHE, or the platform's location for caches. It need not exist."""
    if named := os.environ.get(CACHE_VARIABLE):
        return user_path(named)
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA")
        return (Path(base) if base else Path.home() / "AppData" / "Local") / "recon3d"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "recon3d"
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "recon3d"


def fetched_folder() -> Path:
    """Where `fetch` stores its files, which is searched first."""
    return cache_folder() / "weights"


def bundled_folders() -> list[Path]:
    """Where bundled weights may be: inside the installed package, or in a checkout's vendor folder."""
    return list(BUNDLED_WEIGHTS)


def list_weights() -> list[dict[str, Any]]:
    """One dict per entry: name, set, network, license, commercial (bool), terms, url (None if it cannot be fetched),
    where (path of the file, None if it is not on this machine)."""
    rows = []
    for entry in [bundled_entry(name) for name in FILES] + list(FETCHABLE):
        path = _locate(entry)
        if path is None and not FILES[entry.network].published:
            continue  # weights that do not ship yet
        rows.append(
            {
                "name": entry.name,
                "set": entry.set,
                "network": entry.network,
                "licence": entry.license,
                "commercial": entry.commercial_use,
                "terms": entry.terms,
                "url": entry.url,
                "where": None if path is None else str(path),
            }
        )
    return rows


def find(name: str, weights: str) -> tuple[Path, str | None]:
    """The file for network `name` and its expected sha256, if known.

    weights: "bundled", "official" or a folder with NAME.safetensors, NAME.pth or the published file. Raises UserError
    if there is none, saying what to do.
    """
    if name not in FILES:
        raise ValueError(f"no network {name!r}: {', '.join(FILES)}")
    if weights not in ("bundled", "official"):
        return _find_in_folder(name, user_path(weights))
    fetchable = next((entry for entry in FETCHABLE if entry.name == name), None)
    entry = bundled_entry(name) if weights == "bundled" else fetchable
    path = _locate(entry) if entry else None
    if entry and path:
        return path, read_card(path).get("sha256") or entry.sha256
    raise UserError(
        Sentence(
            f"no {weights} weights for {name} are installed: ",
            use("features", "sift"),
            ", or name the folder of your own in ",
            option("weights"),
            terminal_only(
                f", or `recon3d weights fetch {name}` ({fetchable.license}) and --weights official"
                if fetchable
                else ""
            ),
        ),
        exit_code=2,
    )


def is_available(name: str, weights: str) -> bool:
    """Whether `find` finds the file."""
    try:
        find(name, weights)
    except UserError:
        return False
    return True


def identity(name: str, weights: str) -> str:
    """Identifies a file of weights: its sha256, and the keypoint positions that its card mentions, if any. UserError if
    there is none."""
    path, _ = find(name, weights)
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return "-".join([digest, *str(read_card(path).get("positions", "")).split()])


def bundled_entry(name: str) -> WeightsEntry:
    """The entry of a bundled network, from its card if there is one."""
    file_name = f"{name}.safetensors"
    card: Mapping[str, Any] = {}
    for folder in bundled_folders():
        if (folder / file_name).is_file():
            card = read_card(folder / file_name)
            break
    license = str(card.get("licence") or "see vendor/weights")
    return WeightsEntry(
        name, "bundled", name, license, bool(card.get("commercial_use", True)), file_name, card.get("sha256")
    )


def read_card(path: Path) -> dict[str, Any]:
    """The card of a file of weights (NAME.json for NAME.safetensors), empty if there is none."""
    card = path.with_suffix(".json")
    try:
        content = json_values.parse(read_regular(card, json_values.MAX_BYTES))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise UserError(f"the card of the weights {path} cannot be read ({card}): {error}") from error
    if not isinstance(content, dict) or not isinstance(content.get("sha256", ""), str):
        raise UserError(f"the card {card} is not a JSON object with the sha256 of {path.name} as text")
    return content


def _locate(entry: WeightsEntry) -> Path | None:
    for folder in [fetched_folder(), *bundled_folders()]:
        if (folder / entry.file_name).is_file():
            return folder / entry.file_name
    return None


def _find_in_folder(name: str, folder: Path) -> tuple[Path, str | None]:
    if not folder.is_dir():
        raise UserError(
            Sentence(
                option("weights"),
                f" {folder}: there is no such folder; give bundled, official or a folder of weights",
            ),
            exit_code=2,
        )
    published = [entry.file_name for entry in FETCHABLE if entry.network == name]
    names = [f"{name}.safetensors", f"{name}.pth", *published]
    for file_name in names:
        if (folder / file_name).is_file():
            return folder / file_name, read_card(folder / file_name).get("sha256")
    raise UserError(f"no weights for {name} in {folder}: it needs one of {', '.join(names)}", exit_code=2)
