"""The typed models of presets; `presets` loads them from files.

A preset holds everything that a run depends on, except the percept cache, split and seed.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from dasha_ros.estimation.readout import GRID_ENCODER
from dasha_ros.files.naming import expanded
from dasha_ros.optics.profiles import PROFILES, lens_model
from dasha_ros.perception.encoders import check_encoder
from dasha_ros.policies.moves import STAY_DIOPTRES
from dasha_ros.policies.policy import ExposureRule

Positive = Annotated[float, Field(gt=0.0)]
NotNegative = Annotated[float, Field(ge=0.0)]
Count = Annotated[int, Field(ge=1)]
Range = tuple[float, float]
Schedule = Literal["drawn", "loop"]
"""``drawn``: anew for every episode. ``loop``: the paper's, one value after the other, for the whole batch;
the episodes that score a network, and what A^H hands over, are drawn all the same."""


GREATEST = 1e9
"""Greatest number of a preset, either way: squares of it must fit where networks compute."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @model_validator(mode="after")
    def _numbers_can_be_squared(self) -> _Model:
        for key in type(self).model_fields:
            value = getattr(self, key)
            for number in value if isinstance(value, tuple) else (value,):
                if isinstance(number, int | float) and abs(number) > GREATEST:
                    # The number is not said: a whole one may be too great to be formatted.
                    raise ValueError(f"{key} is out of range: at most {GREATEST:g}, either way")
        return self

    @model_validator(mode="after")
    def _ranges_ascend(self) -> _Model:
        for key in type(self).model_fields:
            value = getattr(self, key)
            if isinstance(value, tuple) and len(value) == 2 and not value[0] <= value[1]:
                raise ValueError(f"{key} = {list(value)}: the least value comes first")
        return self


class Ppo(_Model):
    """PPO of stable-baselines3, by its own names."""

    n_envs: Count = 1
    n_steps: Count = 128
    batch_size: Count = 128
    online_batch_size: Count | None = None
    """Minibatch of learning online, where an update has 128 steps; left out: ``batch_size``."""
    n_epochs: Count = 10
    learning_rate: Positive = 25e-5
    final_learning_rate: NotNegative | None = None
    """The rate falls to it in a straight line; left out: it stays the same."""
    ent_coef: NotNegative = 0.01
    clip_range: Positive = 0.2
    gamma: Annotated[float, Field(ge=0.0, le=1.0)] = 0.99
    gae_lambda: Annotated[float, Field(ge=0.0, le=1.0)] = 0.95
    vf_coef: NotNegative = 0.5
    max_grad_norm: Positive = 0.5
    hidden: tuple[Count, ...] = (64, 64)
    """Units of each hidden layer, of actor and critic alike."""

    @model_validator(mode="after")
    def _whole_minibatches(self) -> Ppo:
        if (self.n_envs * self.n_steps) % self.batch_size:
            pictures = self.n_envs * self.n_steps
            raise ValueError(f"batch_size {self.batch_size} does not divide n_envs * n_steps = {pictures}")
        if self.online_batch_size is not None and 128 % self.online_batch_size:
            raise ValueError(
                f"online_batch_size {self.online_batch_size} does not divide the 128 steps online"
            )
        return self


class FocusWorld(_Model):
    """What is drawn anew for every episode of A^L."""

    start_position: Range | None = None
    """Where the lens is at the start, in its unit; left out: anywhere in its range."""
    schedule: Schedule = "drawn"
    change_every: Count = 360
    """Steps between two changes of the distance by ``loop``."""
    distance_m: Range = (0.3, 10.0)
    """Distances of planes [m]: half of them evenly in reciprocal distance, half evenly in its logarithm."""
    composite_share: Annotated[float, Field(ge=0.0, le=1.0)] = 0.0
    """Share of episodes with two depths, where the scene set has such views."""
    disturbed_share: Annotated[float, Field(ge=0.0, le=1.0)] = 0.0
    """Share of episodes under a disturbance, where the cache has such views. What is read from percepts is
    fitted on plain views all the same: fitted on both, fewer episodes end within 1 px."""
    drift_dioptres: NotNegative = 0.0
    """The lens's map is off by up to so much, either way [1/m]."""
    hysteresis: tuple[NotNegative, NotNegative] = (0.0, 0.0)
    """Half width of the play between what is commanded and what moves, in the lens's unit."""
    settling_dioptres: NotNegative = 0.01
    """A lens counts as settled within this error [1/m]."""
    ev: Range = (0.0, 0.0)
    """Exposure that A^H leaves behind, relative to mid grey [EV]."""

    @model_validator(mode="after")
    def _in_range(self) -> FocusWorld:
        start = self.start_position
        if start is not None and not start[0] <= start[1]:
            raise ValueError(f"start_position = {list(start)}: the least comes first")
        if self.distance_m[0] <= 0:
            raise ValueError("distance_m must be positive")
        return self


class ExposureWorld(_Model):
    """What is drawn anew for every episode of A^H."""

    light_lx: tuple[Positive, Positive] = (13.0, 300.0)
    """Evenly in logarithm [lx]; the paper's range."""
    gain_db: NotNegative = 0.0
    """The table of exposures goes on by so much gain [dB]. The noise that gain adds is not simulated."""
    exposure_index: Literal["any", "factory"] | tuple[int, int] = "any"
    """Index of the exposure in force at the start, into the table; ``factory``: what a camera starts with."""
    schedule: Schedule = "drawn"
    change_every: Count = 360
    """Steps between two changes of the light by ``loop``."""
    defocus_dioptres: Range = (-5.0, 9.3)
    """Defocus of the lens at the start [1/m]: A^H works before the picture is sharp."""


class FocusPreset(_Model):
    """How A^L learns."""

    observation: Literal["latent", "belief"]
    """What it sees and can do; see `policies.learned.focus_features`."""
    steps: Count
    """Steps of training."""
    horizon: Count = 10
    end_on_detection: bool = False
    move_price: NotNegative = 0.0
    reversal_price: NotNegative = 0.0
    hunting_price: NotNegative = 0.0
    defocus_price: NotNegative = 0.0
    """Doubt price of not being sure to be in focus; see `envs.rewards_and_ends.FocusRules`."""
    false_end_price: NotNegative = 0.0
    """Price of resting where the object itself may be blurred; see `envs.rewards_and_ends.FocusRules`."""
    as_deployed: bool = False
    """Whether steps that would end a goal are held against the object's own detail, as on a robot; see
    `learning.envs.rewards_and_ends.FocusRules`."""
    exposure_reward: NotNegative = 0.0
    """Weight of Eq. 7 of every picture, paid to A^L beside Eq. 8: one reading of the intrinsic reward that
    A^H gives A^L at every step (paper, IV.C)."""
    detection: bool = True
    """``False``, an ablation: the reward does not ask for a detection; see
    `envs.rewards_and_ends.FocusRules`. The belief still hears the detector, in what is seen and in
    ``defocus_price``."""
    observe_detection: bool = True
    """``False`` is an ablation of the observation ``belief``; see `policies.learned.ablations`."""
    observe_position: bool = True
    """``False`` is an ablation of the observation ``belief``; see `policies.learned.ablations`. ``latent``
    never holds positions."""
    plan: bool = False
    """Whether the observation ``belief`` holds plans, and actions follow them; see
    `policies.learned.plan_encoder`."""
    colour: bool = False
    """Whether a belief with plans also hears the sign of defocus from red and blue; see
    `estimation.colour_sign`. Needs a cache that holds them (`dasha cache build --colour`)."""
    stay_dioptres: NotNegative = STAY_DIOPTRES
    """Commands that are at most so far from the last one are not sent [1/m]."""
    min_score: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.3
    """From this score on an object counts as detected."""
    ridge: Positive = 0.01
    """Penalty of the regressions that read the latent."""
    widen: Positive = 1.5
    """Factor of the noise that a belief expects in what is read."""
    merit_hunting: NotNegative = 0.2
    """Weight of hunting where the best network of a run is chosen; see `training.score.FocusScore`."""
    world: FocusWorld = FocusWorld()
    ppo: Ppo

    @model_validator(mode="after")
    def _plans_from_a_whole_belief(self) -> FocusPreset:
        whole = self.observation == "belief" and self.observe_detection and self.observe_position
        if self.plan and not whole:
            raise ValueError(
                "plan: a plan needs the observation belief with detections and positions: set plan to false"
            )
        if self.colour and not self.plan:
            raise ValueError(
                "colour: only a belief with plans hears it: set plan to true, or colour to false"
            )
        return self


class ExposurePreset(_Model):
    """How A^H learns."""

    observation: Literal["latent", "readout"]
    """What it sees; see `policies.learned.exposure_encoder`."""
    relative: bool = False
    """Whether the actions of the observation ``readout`` are steps from where a linear sensor would show mid
    grey; otherwise they are indices of the table."""
    steps: Count
    """Steps of training."""
    horizon: Count = 6
    criterion: Literal["peak", "mean_grey"] = "mean_grey"
    """What Eq. 7 is paid by; see `learning.envs.rewards_and_ends.ExposureRules`."""
    end: Literal["always", "reached"] = "reached"
    hand_over: ExposureRule | None = None
    """When A^L gets its turn (`policies.reached`), in learning and deployed; left out: when Eq. 7 pays +1."""
    deployed: Literal["search", "algorithm_1"] = "search"
    """What a deployed policy does beyond its network; see `policies.learned.deployed.ExposureBounds`."""
    ridge: Positive = 0.01
    world: ExposureWorld = ExposureWorld()
    ppo: Ppo

    @model_validator(mode="after")
    def _gain_by_steps(self) -> ExposurePreset:
        if self.world.gain_db > 0.0 and not (self.observation == "readout" and self.relative):
            raise ValueError(
                "world.gain_db: only steps go on with gain, an index of the table can't: set it to 0, or "
                "observation to readout and relative to true"
            )
        return self

    @property
    def rule(self) -> ExposureRule:
        """When a goal of A^H is reached."""
        return self.hand_over or ("good_peak" if self.criterion == "peak" else "well_exposed")


class Preset(_Model):
    """Everything that a training run depends on but cache, split and seed."""

    name: str
    description: Annotated[str, Field(min_length=1)]
    encoder: str
    """Id of the encoder whose latents both agents see."""
    lens: str = "physical"
    """Lens profile."""
    scene_set: str = "training"
    exposure: ExposurePreset
    focus: FocusPreset

    @field_validator("name")
    @classmethod
    def _names_a_folder(cls, name: str) -> str:
        if not name or name.startswith(".") or "/" in name or "\0" in name:
            raise ValueError("runs and policies are named after it: give a name without / and no . first")
        return name

    @field_validator("encoder")
    @classmethod
    def _encoder_exists(cls, name: str) -> str:
        check_encoder(name)
        return name

    @field_validator("lens")
    @classmethod
    def _lens_exists(cls, profile: str) -> str:
        lens_model(profile)
        # A run may go on in another folder.
        return profile if profile in PROFILES else str(expanded(profile, ValueError).absolute())

    @model_validator(mode="after")
    def _an_agent_reads_the_encoder(self) -> Preset:
        seen = self.exposure.observation, self.focus.observation
        if "latent" not in seen and self.encoder != GRID_ENCODER:
            raise ValueError(
                f"encoder = {self.encoder!r}: the observations {' and '.join(seen)} read {GRID_ENCODER} "
                "alone: give that one, or set an observation to latent"
            )
        return self

    @model_validator(mode="after")
    def _lens_can_start_there(self) -> Preset:
        start = self.focus.world.start_position
        if start is not None:
            lens = lens_model(self.lens)
            if not lens.position_min <= start[0] <= start[1] <= lens.position_max:
                raise ValueError(
                    f"focus.world.start_position = {list(start)}: the lens takes {lens.position_min:g} to "
                    f"{lens.position_max:g} {lens.unit}"
                )
        return self
