"""Fetches published weights into the user's cache, only on request and with the license accepted."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import os
import urllib.error
import urllib.request
from pathlib import Path

from ..errors import UserError
from ..events import Progress
from ..wording import Sentence, terminal_only
from .network import WeightsEntry
from .registry import FETCHABLE, fetched_folder

TIMEOUT = 30.0  # seconds without an answer
BLOCK = 1 << 18  # bytes


def fetch(name: str, accept_license: bool, progress: Progress | None = None) -> Path:
    """Fetch the weights that `list_weights` calls `name` and return the file in the user's cache.

    A valid file in the cache is not fetched again. Uses the proxy from the environment. Raises UserError when the
    license is not accepted, there is no network, or the downloaded file is not the expected one.
    """
    entry = next((entry for entry in FETCHABLE if entry.name == name), None)
    if entry is None or entry.url is None:
        known = ", ".join(entry.name for entry in FETCHABLE)
        raise UserError(f"no weights called {name!r} can be fetched: choose one of {known}", exit_code=2)
    path = fetched_folder() / entry.file_name
    if path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == entry.sha256:
        return path
    if not accept_license:
        use = "commercial use allowed" if entry.commercial_use else "NO commercial use"
        raise UserError(
            Sentence(
                f"the weights {name} are under this license: {entry.license} ({use}; {entry.terms}): read it",
                terminal_only(" and run the command again with --accept-license"),
            ),
            exit_code=2,
        )
    partial = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        digest = _download(entry, partial, progress)
        if digest != entry.sha256:
            raise UserError(
                f"what came from {entry.url} is not {entry.file_name} (its sha256 is {digest}, not "
                f"{entry.sha256}): try again, or put the file into {path.parent} yourself"
            )
        os.replace(partial, path)
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError) as error:
        reason = getattr(error, "reason", None) or error
        raise UserError(
            f"{entry.url} cannot be fetched ({reason}): check the network and the proxy, or fetch it on another "
            f"machine and put it into {path.parent}"
        ) from error
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
    return path


def _download(entry: WeightsEntry, target: Path, progress: Progress | None) -> str:
    """Download the entry's url to target and return the sha256 of the content."""
    digest = hashlib.sha256()
    request = urllib.request.Request(str(entry.url), headers={"User-Agent": "recon3d"})
    opener = urllib.request.build_opener()  # reads the current proxies; urlopen keeps those of its first call
    with opener.open(request, timeout=TIMEOUT) as answer, open(target, "wb") as file:
        total = int(answer.headers.get("Content-Length") or 0)
        done = 0
        while block := answer.read(BLOCK):
            file.write(block)
            digest.update(block)
            done += len(block)
            if progress is not None:
                progress.update(done, max(done, total), f"fetching {entry.file_name}")
    return digest.hexdigest()
