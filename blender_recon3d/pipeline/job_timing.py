"""Reports the forecast of a job that is about to run as an event, and learns from the job for the next one."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from . import past_runs
from .documents.document_files import read_document
from .documents.event import VERSION as EVENTS_VERSION
from .documents.registration_json import RegistrationDocument
from .events import Progress
from .models.registry import cache_folder
from .settings import JobSettings
from .stage import STAGES, stage
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
        self._timed = WORTH_IT in self._names
        self._photos = 0  # in the last forecast
        progress.info("stages", version=EVENTS_VERSION, stages=self._names, timed=self._timed)

    def tell(self, following: str) -> None:
        """Report how long the stages will take: once the photos are there, and again from the stage `following` on
        once it is known that only some of them have cameras. Never fails: the job does not depend on it."""
        if not self._timed:
            return
        try:
            sizes = self._sizes(following)
            if len(sizes) == self._photos:
                return
            raw = self._forecast(sizes)
            if self._photos:
                raw = {name: raw[name] for name in self._names[self._names.index(following) :] if name in raw}
            self._photos, self._raw = len(sizes), {**self._raw, **raw}
            known = past_runs.corrected(_file(), raw)
            seconds = {name: round(value, 1) for name, value in known.items()}
            self._progress.info("forecast", forecast=seconds)
        except Exception:
            self._timed = False
            if not self._raw:
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

    def _sizes(self, following: str) -> list[tuple[int, int]]:
        """Width and height of the photos that this stage has: all that are used, and later those with cameras."""
        photos = self._workspace.read_photos().used
        if STAGES.index(following) <= STAGES.index("sfm") or not self._workspace.registration.is_file():
            return [(photo.width, photo.height) for photo in photos]
        placed = read_document(RegistrationDocument, self._workspace.registration, "").photos
        return [
            (photo.width, photo.height)
            for photo in photos
            if photo.name in placed and placed[photo.name].registered
        ]

    def _forecast(self, sizes: list[tuple[int, int]]) -> dict[str, float]:
        if not sizes:
            return {}
        from .files.full_disk import free_bytes
        from .inspection import disk_advice
        from .job_forecast import forecast_job
        from .superfluous_files import size_of

        forecast = forecast_job(sizes, self._settings)
        root = self._workspace.root
        needed = forecast.disk - size_of(root)  # an earlier run has written some of it
        advice = [] if self._photos else disk_advice(needed, free_bytes(root), self._settings.until)
        for sentence in advice:
            self._progress.warning(sentence)
        seconds = forecast.seconds
        return {name: seconds[name] for name in self._names if name in seconds}


def _file() -> Path:
    return cache_folder() / "past_runs.json"
