"""Translate pip's and uv's failures into one sentence with what to do next."""

from __future__ import annotations

import errno
import re
from collections.abc import Sequence

from .pythons import supported
from .redaction import redact

# The first match is used: causes come before their consequences.
_PATTERNS = (
    (
        r"No space left on device|os error 28\b|Errno 28\b|WinError 112|os error 112\b|not enough space on the disk"
        r"|Disk quota exceeded|os error 122\b",
        "The disk is full: free some space and press Set Up Engine again; finished downloads are kept.",
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED|SSLCertVerificationError|invalid peer certificate|UnknownIssuer"
        r"|certificate verify failed|SSLError|No CA certificates",
        "The index's TLS certificate is not trusted, for example because of a TLS-inspecting proxy: save the root "
        "certificate to a file, and set PIP_CERT and SSL_CERT_FILE to that file before starting Blender.",
    ),
    (
        r"ProxyError|Cannot connect to proxy|Tunnel connection failed|tunnel error|unsuccessful tunnel"
        r"|407 Proxy|Proxy Authentication|proxy authentication|Unsupported proxy|InvalidProxyURL",
        "The proxy refuses the connection or cannot be reached: check its address, user name and password (the "
        "preference Proxy, or HTTPS_PROXY).",
    ),
    (
        r"\b401\b.*(?:Unauthorized|Client Error|Error)|\b403\b.*(?:Forbidden|Client Error)|Unauthorized|401 Client"
        r"|403 Client|User for .*:",
        "The index requires a user name and password, or refuses this machine: put them into its URL, .netrc or "
        "pip.conf.",
    ),
    (
        r"THESE PACKAGES DO NOT MATCH THE HASHES|[Hh]ash mismatch",
        "{file} is not the file that this release was made with (its sha256 differs) and was not "
        "installed: press Set Up Engine again in case the download was damaged; if that does not help, ask "
        "the index's administrator. Your own packages need your own lock (docs/user/engine.md).",
    ),
    (
        r"BadZipFile|is not a zip file|invalid wheel"
        r"|IncompleteRead|invalid package format|structure of .* was invalid|is invalid[.:]|Failed to extract"
        r"|corrupt deflate|unexpected end of file|early eof",
        "A download was damaged: press Set Up Engine again; if it happens again, ask the administrator of "
        "the proxy or the index.",
    ),
    (
        r"Name or service not known|Temporary failure in name resolution|nodename nor servname|getaddrinfo failed"
        r"|NameResolutionError|failed to lookup address|dns error|NewConnectionError|Connection refused"
        r"|Failed to establish a new connection|Max retries exceeded|ConnectTimeout|Read timed out|timed out"
        r"|Network is unreachable|Connection reset|ConnectionResetError|error sending request|Failed to fetch"
        r"|RemoteDisconnected|Connection aborted|No route to host",
        "{host} cannot be reached: check the network and the proxy, or set an index that can be reached.",
    ),
    (
        r"WinError 32|being used by another process|os error 32\b",
        "Another program has a file of the engine's environment open: close programs that use the engine, "
        "exclude the folder {target} from the virus scanner, and press Set Up Engine again.",
    ),
    (
        r"Permission denied|Errno 13\b|os error 13\b|WinError 5\b|Access is denied|os error 5\b|Read-only file system"
        r"|Operation not permitted",
        "No permission to write to {target}: choose a folder that you own, or exclude it from the virus "
        "scanner.",
    ),
    (
        r"Long Path support|path too long|File name too long|Errno 36\b|WinError 206|os error 206\b",
        "File names in {target} get too long: choose a folder with a shorter path, such as C:\\recon3d.",
    ),
)
_TLS, _PROXY, _ALTERED, _NETWORK = (
    1,
    2,
    4,
    6,
)  # the places of these in _PATTERNS; proxy, password and damage are between them
_NOT_FOUND = (
    r"No matching distribution found for ([\w.-]+)(\S*)",
    r"Cannot install ([\w.-]+)(==\S+) because these package versions have conflicting dependencies",  # a constraint
    r"satisfies the requirement ([\w.-]+)(\S*)",
    r"Because ([\w.-]+) was not found()",
    r"[Bb]ecause (?:there is no version of )?([\w.-]+?)(==\S+)? (?:has no|is not available|and you require)",
    r"no wheels? (?:are available )?for ([\w.-]+?)(==\S+)? ",
    r"no version of ([\w.-]+?)(==\S+)",
    r"`([\w.-]+?)(==[^`]+)?` (?:has no wheels|can't be installed)",
)


def explain(text: str, target: str, where: str, python: str, log: str, proxy: str = "") -> str:
    """A message for the last lines of a failed pip or uv.

    target: the environment's folder. where: the index used. python: version of the environment's Python. proxy: its
    URL, if one is set.
    """
    text = _flat(text)
    for number, (pattern, sentence) in enumerate(_PATTERNS):
        if re.search(pattern, text):
            # pip names the proxy as the host that it cannot reach.
            if number == _NETWORK and proxy and _host(text) == _host(proxy):
                return _PATTERNS[_PROXY][1]
            return sentence.format(host=_host(text) or where, target=target, file=_altered_file(text, where))
    for pattern in _NOT_FOUND:
        if match := re.search(pattern, text):
            package = f"{match[1]}{match[2] or ''}".rstrip(".,")
            # pip and uv do not report that an index requires a password.
            password = ", or check its address, user name and password" if "http" in where else ""
            return (
                f"{where} has no {package} for Python {python} on this system: set an index that has "
                f"it{password} (the engine needs {supported()})."
            )
    last = re.split(r"(?:ERROR|error): ", text)[-1][:300]
    return f"The packages could not be installed ({last}): see {log}."


def _flat(text: str) -> str:
    """The text on one line, without the markers that uv appends to names: torch{sys_platform == 'linux'}."""
    return re.sub(r"(?<=\w)\{[^{}]*\}", "", " ".join(text.split()))


def is_untrusted(text: str) -> bool:
    """Whether the index's certificate is not trusted."""
    return bool(re.search(_PATTERNS[_TLS][0], " ".join(text.split())))


def is_unreachable(text: str) -> bool:
    """Whether a tool could not reach the index at all, so that another tool could not either."""
    text = " ".join(text.split())
    return any(re.search(pattern, text) for pattern, _ in _PATTERNS[_TLS : _NETWORK + 1])


def is_altered(text: str) -> bool:
    """Whether a file's sha256 differs from the lock's."""
    return bool(re.search(_PATTERNS[_ALTERED][0], text))


def is_missing(text: str, names: Sequence[str]) -> bool:
    """Whether the index lacks one of these packages in the required version."""
    text = _flat(text)
    if is_altered(text) or is_unreachable(text):
        return False
    match = next((match for pattern in _NOT_FOUND if (match := re.search(pattern, text))), None)
    return match is not None and match[1] in names


def _altered_file(text: str, where: str) -> str:
    """The package whose sha256 differs, and where it came from."""
    if match := re.search(r"tampered with them\. (\S+?)(?:\[\S*\])? from (\S+)", text):
        return f"{match[1].replace('===', '==')} of {redact(match[2].partition('#')[0])}"
    match = re.search(r"[Hh]ash mismatch for `([^`]+)`", text)
    return f"{match[1]} of {where}" if match else f"A package of {where}"


def _host(text: str) -> str:
    """The host that could not be reached, if the tool names it."""
    address = r"https?://(?:[^/@\s]*@)?([\w.:-]+)"
    if match := re.search(r"host='([\w.-]+)', port=(\d+)", text):
        return match[1] if match[2] in ("80", "443") else f"{match[1]}:{match[2]}"
    for pattern in (r"host='([\w.-]+)'", rf"[Ff]ailed to fetch: \W?{address}", address):
        if match := re.search(pattern, text):
            return match[1]
    return ""


def for_os_error(error: OSError, target: str) -> str:
    """A message for our own file errors."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT) or getattr(error, "winerror", 0) == 112:
        return "The disk is full: free some space and press Set Up Engine again; finished downloads are kept."
    return (
        f"{error.filename or target} cannot be written ({error.strerror}): choose a folder that you own for "
        "the engine, or exclude it from the virus scanner."
    )
