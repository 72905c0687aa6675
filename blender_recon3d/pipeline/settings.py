"""`JobSettings`: the settings of all stages, as each stage declares them, and of the job itself.

A job is made from flat options (`build`), or from values by stage (`from_values`), as in settings files
(`settings_file.py`). Standard library only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from .errors import UserError
from .models import front_ends
from .setting_field import FOLLOW_QUALITY, Choice, Setting, Settings, check, setting, settings_of
from .stage import STAGES, all_stages
from .stage import stage as stage_of

VERSION = 1  # of settings as JSON
Values = dict[str, dict[str, Any]]  # stage: setting: value
Kind = TypeVar("Kind", bound=Settings)

QUALITIES = {
    "preview": Choice("Preview", "Fast and coarse, to check whether the photos are good"),
    "medium": Choice("Medium", "Good detail in moderate time"),
    "high": Choice("High", "All the detail in the photos; slow"),
}
_UNTIL = {each.name: Choice(each.makes, each.makes_text) for each in all_stages()}
_ABOVE = "it is at the top of the panel"


@dataclass(frozen=True)
class JobSettings(Settings):
    """A whole job. stages: the settings of each stage by name; in code, `of` returns them with their type."""

    quality: str = setting(
        "medium",
        "Level of detail, which determines how long it takes",
        "Quality",
        choices=QUALITIES,
        not_in_panel=_ABOVE,
    )
    until: str = setting(
        "dense",
        "What to reconstruct; finished steps are not computed again",
        "Output",
        choices=_UNTIL,
        not_in_panel=_ABOVE,
    )
    stages: Mapping[str, Settings] = field(
        default_factory=lambda: {each.name: each.settings() for each in all_stages()}
    )

    def of(self, kind: type[Kind]) -> Kind:
        """One stage's settings, by their class."""
        return cast(Kind, self.stages[kind.stage])

    def having(self, *changed: Settings) -> JobSettings:
        """This job with new settings for some stages."""
        return replace(self, stages={**self.stages, **{each.stage: each for each in changed}})

    if not TYPE_CHECKING:  # type-checked code uses `of`

        def __getattr__(self, name: str) -> Settings:
            """One stage's settings by the stage's name: job.dense."""
            try:
                return vars(self)["stages"][name]
            except KeyError:
                raise AttributeError(f"there is no stage {name!r}") from None

    @classmethod
    def build(cls, quality: str = "medium", until: str = "dense", **options: Any) -> JobSettings:
        """A job from flat options: each goes to every stage that has a setting with this option.

        Sizes that are not given come from `quality`. `photos` is one path or several. Unknown options raise UserError.
        """
        return cls.from_values(spread(options), quality, until)

    @classmethod
    def from_values(cls, values: Values, quality: str = "medium", until: str = "dense") -> JobSettings:
        """A job from some values by stage; the others follow the quality, or are defaults.

        Raises UserError for invalid values.
        """
        check(_OF_JOB["quality"], quality)
        stages: Values = {}
        for stage in STAGES:
            chosen = {name: value for name, value in values.get(stage, {}).items() if value is not None}
            for declared in settings_of(_stage_type(stage)):
                if declared.by_quality and chosen.get(declared.name, FOLLOW_QUALITY) == FOLLOW_QUALITY:
                    chosen[declared.name] = declared.by_quality[quality]
            stages[stage] = chosen
        _settle_front_end(stages)
        built = {stage: _stage_type(stage)(**chosen) for stage, chosen in stages.items()}
        return cls(quality=quality, until=until, stages=built)

    def changed(self, **options: Any) -> JobSettings:
        """This job with some flat options changed; see `build`."""
        quality, until = options.pop("quality", self.quality), options.pop("until", self.until)
        return JobSettings.from_values(merged(self.values(), spread(options)), quality, until)

    def values(self) -> Values:
        """The values by stage, without those that equal the quality's: they follow a change of quality."""
        values: Values = {}
        for stage in STAGES:
            own = self.stages[stage]
            values[stage] = {
                declared.name: value
                for declared in settings_of(type(own))
                if (value := getattr(own, declared.name)) != declared.by_quality.get(self.quality)
            }
        return values

    def to_json(self) -> dict[str, Any]:
        """As in a settings file, with every value; `settings_file.job_of` reads it."""
        document: dict[str, Any] = {"version": VERSION, "quality": self.quality, "until": self.until}
        for stage in STAGES:
            own = self.stages[stage]
            document[stage] = {
                declared.name: getattr(own, declared.name) for declared in settings_of(type(own))
            }
        return document


def merged(first: Values, second: Values) -> Values:
    """Both; the second takes precedence."""
    return {stage: {**first.get(stage, {}), **second.get(stage, {})} for stage in STAGES}


def all_settings() -> tuple[Setting, ...]:
    """All settings: those of the whole job, then those of the stages in stage order."""
    return (
        *_OF_JOB.values(),
        *(declared for stage in STAGES for declared in settings_of(_stage_type(stage))),
    )


def by_option() -> dict[str, tuple[Setting, ...]]:
    """The settings behind each option, which several stages may share."""
    groups: dict[str, tuple[Setting, ...]] = {}
    for declared in all_settings():
        groups[declared.option] = (*groups.get(declared.option, ()), declared)
    return groups


def spread(options: Mapping[str, Any]) -> Values:
    """Flat options, by name or by an earlier name, as values by stage. UserError (2) for an unknown one."""
    values: Values = {stage: {} for stage in STAGES}
    known = {name: group for option, group in by_option().items() for name in (option, *group[0].was)}
    unknown = sorted(set(options) - {name for name, group in known.items() if group[0].stage})
    if unknown:
        raise UserError(f"Unknown setting {', '.join(unknown)}.", 2)
    for name, value in options.items():
        for declared in known[name]:
            if isinstance(declared.default, tuple) and isinstance(value, str | Path):
                value = (str(value),)
            values[declared.stage][declared.name] = declared.typed(value)
    return values


def heading_of(stage: str) -> str:
    """The heading above the stage's settings in the panel."""
    return str(_stage_type(stage).heading)


def size_for(option: str, quality: str) -> int:
    """A quality's value of an option like "dense_size"."""
    return int(by_option()[option][0].by_quality[quality])


def default_features(weights: str) -> str:
    """The first front-end whose weights are all there."""
    return front_ends.default(weights)


def share_front_end(values: Values, where: str = "") -> None:
    """Give all stages the front-end that one of them names.

    UserError (2) if two name different ones. where: the file they come from, and a colon.
    """
    named = {
        stage: values[stage]["front_end"] for stage in _WITH_FRONT_END if "front_end" in values.get(stage, {})
    }
    if len(set(named.values())) > 1:
        one, first = next(iter(named.items()))
        other, second = next(item for item in named.items() if item[1] != first)
        raise UserError(
            f"{where}{one}.front_end is {first} and {other}.front_end is {second}: they must be equal.", 2
        )
    for name in named.values():
        for stage in _WITH_FRONT_END:
            values.setdefault(stage, {})["front_end"] = name


def keep_front_end(values: Values, name: str) -> Values:
    """These values with that front-end where they leave the choice; the same if it lacks weights."""
    chosen = any(values.get(stage, {}).get("front_end", "auto") != "auto" for stage in _WITH_FRONT_END)
    if chosen or not front_ends.is_complete(name, _weights(values)):
        return values
    return merged(values, {stage: {"front_end": name} for stage in _WITH_FRONT_END})


def _settle_front_end(values: Values) -> None:
    share_front_end(values)
    if values["features"].get("front_end", "auto") == "auto":
        chosen = default_features(_weights(values))
        for stage in _WITH_FRONT_END:
            values[stage]["front_end"] = chosen


def _weights(values: Values) -> str:
    return str(values.get("features", {}).get("weights", "bundled"))


def _stage_type(stage: str) -> type[Settings]:
    return stage_of(stage).settings


_OF_JOB = {declared.name: declared for declared in settings_of(JobSettings)}
_WITH_FRONT_END = [
    stage for stage in STAGES if "front_end" in {d.name for d in settings_of(_stage_type(stage))}
]
