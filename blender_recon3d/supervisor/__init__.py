"""Starts the engine as a process of its own, follows its events and ends it. Standard library only, no bpy.

`views`: what there is to show of a job. `process`: a process group. `jobs`: a run in a workspace, started here or
found at work. `queries`: a question to the engine that is answered on its standard output.
"""

from .jobs import EngineJob, FoundJob, Job, find_job
from .queries import EngineQuery
from .views import CANCELLED, DONE, FAILED, RUNNING, JobView, follow

__all__ = [
    "CANCELLED", "DONE", "FAILED", "RUNNING", "EngineJob", "EngineQuery", "FoundJob", "Job", "JobView",
    "find_job", "follow",
]  # fmt: skip
