"""Remove passwords and tokens from displayed and logged text.

Credentials appear in URLs with and without a scheme, in queries, headers, settings, and .netrc. When in doubt, too much
is removed rather than too little.
"""

from __future__ import annotations

import re

_HIDDEN = "***"
# `Authorization: Basic ...`: to the end of the line, since schemes have parameters.
_HEADER = re.compile(
    r"(?im)\b((?:proxy-)?authorization|(?:set-)?cookie|(?:private|job|deploy)-token|x-[\w-]{0,40}?(?:key|token|auth|api)[\w-]{0,40})"
    r"(['\"]?\s*[:=][^\S\n]*).+"
)
_SCHEME = re.compile(r"(?i)\b(basic|bearer)[^\S\n]+[\w+/=.~:-]{8,}")
# Secrets by name. Repetitions are bounded throughout, for a server's long lines.
_NAMED = re.compile(
    r"(?i)((?:password|passwd|passphrase|pwd|token|secret|credentials?|api[_-]?key|signature)[\w-]{0,40}['\"]?\s*[:=]\s*)\S+"
)
# .netrc on one line, and a line of it with nothing else.
_NETRC = re.compile(
    r"(?i)\b((?:machine\s{1,9}\S{1,300}|default)\s.{0,300}?)\b(login|account|password)\s+\S+.*"
)
_NETRC_PART = re.compile(r"(?im)\b(login\s+)\S+(\s+(?:account\s+\S+\s+)?password\s+)\S+")
_NETRC_LINE = re.compile(r"(?im)^([^\S\n]{0,40}(?:login|account|password)[^\S\n]{1,40})\S+[^\S\n]*$")
# What may precede user:password@host without a space: an option or variable, quotes, brackets.
_BEFORE = re.compile(r"(?:-*[A-Za-z_][\w.-]*=)?[\"'(\[<{]*")
_DRIVE = re.compile(r"[A-Za-z]:\\")


def redact(text: str) -> str:
    """The text with *** in place of credentials."""
    text = _HEADER.sub(rf"\1\2{_HIDDEN}", text)
    text = _SCHEME.sub(rf"\1 {_HIDDEN}", text)
    if "@" in text or "?" in text:
        text = re.sub(r"\S+", lambda match: _without_query(_without_user(match[0])), text)
    text = _NAMED.sub(rf"\1{_HIDDEN}", text)
    text = _NETRC.sub(rf"\1\2 {_HIDDEN}", text)
    text = _NETRC_PART.sub(rf"\1{_HIDDEN}\2{_HIDDEN}", text)
    return _NETRC_LINE.sub(rf"\1{_HIDDEN}", text)


def _without_user(word: str) -> str:
    """A word without the part before its last @, if that is a user and a password, which may itself contain an @, a
    slash or a colon."""
    start, at, host = word.rpartition("@")
    if not at:
        return word
    before = _BEFORE.match(start)
    begin = before.end() if before else 0
    scheme, sign, _ = start.partition("://")
    if sign and re.fullmatch(r"[A-Za-z][\w+.-]*", scheme[begin:]):
        # A password with a question mark, or a query with an @: the host is ambiguous.
        return f"{scheme}://{_HIDDEN}" if "?" in start else f"{scheme}://{_HIDDEN}@{host}"
    if ":" not in start[begin:] or _DRIVE.match(start, begin):
        return word  # an address, a version, or a Windows path
    return f"{start[:begin]}{_HIDDEN}@{host}"


def _without_query(word: str) -> str:
    """A URL without what follows its question mark, whatever the parameters are called."""
    scheme, sign, rest = word.partition("://")
    before, mark, query = rest.partition("?")
    return f"{scheme}{sign}{before}?{_HIDDEN}" if sign and mark and query else word
