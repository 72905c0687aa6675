"""The processor: its cores, name and instruction sets. Standard library only."""

from __future__ import annotations

import contextlib
import os
import platform
import re
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path


def cores() -> int:
    """Number of cores that this process may use, which containers and schedulers may limit."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True)
class Processor:
    """vendor: "amd", "intel", "apple", "arm", or "" if unknown; family: x86's number, else 0; features: names as on
    Linux (avx512_bf16, amx_bf16, bf16), empty if unknown."""

    name: str = ""
    vendor: str = ""
    family: int = 0
    features: frozenset[str] = frozenset()


_VENDORS = {"AuthenticAMD": "amd", "GenuineIntel": "intel"}


@cache
def processor() -> Processor:
    """This machine's processor; unknown fields are empty."""
    with contextlib.suppress(OSError, ValueError, subprocess.SubprocessError):
        if sys.platform == "darwin":
            return _of_mac()
        if sys.platform == "win32":
            return parse_identifier(os.environ.get("PROCESSOR_IDENTIFIER", "") or platform.processor())
        return parse_cpuinfo(Path("/proc/cpuinfo").read_text("utf-8", "replace"))
    return Processor(platform.processor() or platform.machine())


def parse_cpuinfo(text: str) -> Processor:
    """The first core in Linux's /proc/cpuinfo, for an x86 or ARM processor."""
    fields: dict[str, str] = {}
    for line in text.split("\n\n")[0].splitlines():
        key, _, value = line.partition(":")
        fields.setdefault(key.strip(), value.strip())
    features = frozenset((fields.get("flags") or fields.get("Features") or "").split())
    vendor = _VENDORS.get(fields.get("vendor_id", ""), "arm" if "CPU implementer" in fields else "")
    name = fields.get("model name") or ("ARM" if vendor == "arm" else platform.machine())
    family = fields.get("cpu family", "")
    return Processor(name, vendor, int(family) if family.isdigit() else 0, features)


def parse_identifier(text: str) -> Processor:
    """Windows' description of a processor: "AMD64 Family 25 Model 97 Stepping 2, AuthenticAMD". It lists no
    features."""
    vendor = next((short for long, short in _VENDORS.items() if long in text), "")
    if text.startswith("ARM"):
        vendor = "arm"
    family = re.search(r"Family (\d+)", text)
    return Processor(text or platform.machine(), vendor, int(family[1]) if family else 0)


def _of_mac() -> Processor:
    name = subprocess.run(
        ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"],
        capture_output=True,
        text=True,
        timeout=5,
        check=True,
    ).stdout.strip()
    return Processor(name, "apple" if name.startswith("Apple") else "intel" if "Intel" in name else "")
