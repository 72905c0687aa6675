"""Reports the forecast of a job that is about to run as an event, and learns from the job for the next one."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from . import past_runs
from .documents.event import VERSION as EVENTS_VERSION
from .events import Progress
from .models.registry import cache_folder
from .settings import JobSettings
from .stage import stage
from .workspace import Workspace

WORTH_IT = "dense"  # jobs with this stage take long enough for a forecast, which itself takes a second or two


class JobTiming:
    """names: the stages of the job, in order. raw: the forecast without corrections from earlier runs."""

    def __init__(
        self, workspace: Workspace, settings: JobSettings, names: tuple[str, ...], progress: Progress
    ) -> None:
        self._workspace, self._settings, self._progress = workspace, settings, progress
        self._names = [name for name in names if not stage(name).left_out(settings.stages[name])]
        self._raw: dict[str, float] = {}
        self._taken: dict[str, float] = {}
        self._told = WORTH_IT not in self._names
        progress.info("stages", version=EVENTS_VERSION, stages=self._names, timed=not self._told)

    def tell(self) -> None:
        """Report how long the stages will take, once the photos are there. Never fails: the job does not
        depend on it."""
        if self._told:
            return
        self._told = True
        try:
            self._raw = self._forecast()
            known = past_runs.corrected(_file(), self._raw)
            seconds = {name: round(value, 1) for name, value in known.items()}
            self._progress.info("forecast", forecast=seconds)
        except Exception:
            self._progress.info("no forecast", timed=False)

    def took(self, name: str, seconds: float | None) -> None:
        """Note that a stage has run from beginning to end."""
        if seconds is not None:
            self._taken[name] = seconds

    def learn(self) -> None:
        """Save the measured times for the next job."""
        if self._raw and self._taken:
            with suppress(Exception):
                past_runs.learn(_file(), self._taken, self._raw)

    def _forecast(self) -> dict[str, float]:
        sizes = [(photo.width, photo.height) for photo in self._workspace.read_photos().used]
        if not sizes:
            return {}
        from .files.full_disk import free_bytes
        from .inspection import disk_advice
        from .job_forecast import forecast_job
        from .superfluous_files import size_of

        forecast = forecast_job(sizes, self._settings)
        root = self._workspace.root
        needed = forecast.disk - size_of(root)  # an earlier run has written some of it
        for sentence in disk_advice(needed, free_bytes(root), self._settings.until):
            self._progress.warning(sentence)
        seconds = forecast.seconds
        return {name: seconds[name] for name in self._names if name in seconds}


def _file() -> Path:
    return cache_folder() / "past_runs.json"
