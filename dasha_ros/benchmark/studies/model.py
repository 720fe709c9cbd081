"""What a study is: a YAML file that says what varies and what is measured."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from dasha_ros.benchmark.evaluation import HAND_OVER_POLICY, STEP_MS
from dasha_ros.benchmark.studies.task import StudyError
from dasha_ros.files.documents import read_yaml
from dasha_ros.files.errors import FileError
from dasha_ros.files.naming import expanded, no_such
from dasha_ros.files.validation import reasons
from dasha_ros.learning.evaluation.settings import USUAL_SETTINGS
from dasha_ros.system.paths import config_dir

Name = Annotated[str, Field(min_length=1)]


class Study(BaseModel):
    """Every policy and every preset, on every scene set, split and seed."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    description: str = Field("", description="What the study is for; shown above its tables.")
    agent: Literal["focus", "exposure"] = Field(
        "focus", description="Whose policies play and whose presets learn: A^L (focus) or A^H (exposure)."
    )
    scene_sets: tuple[Name, ...] = Field(
        min_length=1,
        description="Names of scene sets, of which the newest percept cache on this machine is taken, or "
        "folders of percept caches.",
    )
    splits: tuple[Annotated[int, Field(ge=0)], ...] = Field(
        (0, 1, 2), min_length=1, description="Numbers of the splits by photograph; test views are played."
    )
    seeds: tuple[Annotated[int, Field(ge=0, lt=2**32)], ...] = Field(
        (0,), min_length=1, description="Seeds of trainings, and of where episodes start."
    )
    build: bool = Field(
        False,
        description="Whether the percept caches of `scene_sets`, which are then names or YAML files of scene "
        "sets, are computed first, or what is missing of them.",
    )
    policies: tuple[Name, ...] = Field(
        (), description="Policies that play as they are: names, or paths of learned policies (.npz)."
    )
    presets: tuple[Name, ...] = Field(
        (), description="Presets, by name or YAML file: each is trained, and the policy plays."
    )
    steps: int | None = Field(
        None, ge=1, description="Steps of each training; left out: the preset's own number."
    )
    settings: tuple[Name, ...] = Field(
        (), description="Settings of A^L's episodes, as in dasha evaluate; left out: all. None for exposure."
    )
    episodes: int = Field(4, ge=1, description="Episodes for each view, policy and setting.")
    exposure_policy: Name = Field(
        HAND_OVER_POLICY, description="Name of the policy of A^H, in settings with a hand-over."
    )
    step_ms: float = Field(
        STEP_MS, ge=0.0, description="Time to transport and read a frame [ms], for wall times."
    )

    @model_validator(mode="after")
    def _something_to_do(self) -> Study:
        if not self.plays and not self.build:
            raise ValueError(
                "nothing plays: name at least one of policies or one of presets, or build percept caches"
            )
        if self.agent == "exposure" and self.settings:
            raise ValueError("settings: exposure has none, leave them out")
        for key in ("scene_sets", "splits", "seeds", "policies", "presets", "settings"):
            values = getattr(self, key)
            if twice := {str(value) for value in values if values.count(value) > 1}:
                raise ValueError(f"{key}: {', '.join(sorted(twice))} is there twice")
        return self

    @property
    def plays(self) -> bool:
        """Whether anybody plays; if not, only percept caches are built."""
        return bool(self.policies or self.presets)

    @property
    def setting_names(self) -> tuple[str, ...]:
        """The settings of A^L's episodes; none for A^H."""
        if self.agent == "exposure":
            return ()
        return self.settings or tuple(setting.name for setting in USUAL_SETTINGS)


def study_names() -> tuple[str, ...]:
    """Names of the studies that ship with the package."""
    return tuple(sorted(path.stem for path in (config_dir() / "studies").glob("*.yaml")))


def load_study(name_or_path: str) -> Study:
    """A study by the name of a shipped one, or from a YAML file.

    Raises:
        StudyError: No such study, no YAML, or a value that can't be used.
    """
    path = expanded(name_or_path, lambda why: StudyError(f"study {why}"))
    if path.suffix not in {".yaml", ".yml"}:
        if name_or_path not in study_names():
            raise StudyError(no_such("study", name_or_path, study_names()))
        path = config_dir() / "studies" / f"{name_or_path}.yaml"
    try:
        document: Any = read_yaml(path)
    except FileError as error:
        raise StudyError(f"study {error}") from error
    if not isinstance(document, dict):
        raise StudyError(f"study {path} must hold keys and values")
    try:
        return Study(**document)
    except (ValidationError, TypeError) as error:
        raise StudyError(f"study {path}: {reasons(error, model=Study)}") from error
