"""Set up the engine's environment with one button. Standard library only, no bpy.

plan(target) -> Plan         what will be downloaded, from where and to where; nothing happens yet
command(plan)                the process that installs or repairs; follow TARGET/../setup/events.jsonl
state(target)                "missing", "ready", "broken" or "outdated"
stamp(target)                changes when the state may have changed
remove(target)               delete it
"""

from __future__ import annotations

from .planning import Plan, command, plan
from .target import BROKEN, MISSING, OUTDATED, READY, claimed_work_folder, remove, stamp, state, work_folder

STAGES = ("python", "packages", "install", "check")  # of the events

__all__ = [
    "BROKEN", "MISSING", "OUTDATED", "READY", "STAGES", "Plan", "claimed_work_folder", "command", "plan",
    "remove", "stamp", "state", "work_folder",
]  # fmt: skip
