"""The methods that are compared: agents and rivals by name, each with the seed and split of its training."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeAlias, TypeVar

import dasha_ros.policies.rivals  # noqa: F401  (adds the rivals to the registry)
from dasha_ros.benchmark.trials.learned_from import photographs_of
from dasha_ros.files.naming import expanded
from dasha_ros.learning.evaluation.arenas import Arena
from dasha_ros.learning.evaluation.settings import FocusSetting, Start
from dasha_ros.optics.exposure_table import T_MAX_US, T_MIN_US
from dasha_ros.perception.encoders.joint import joined
from dasha_ros.perception.percept import Percept
from dasha_ros.perception.pipeline import Perception
from dasha_ros.policies.learned.exposure import LearnedExposure
from dasha_ros.policies.learned.focus import LearnedFocus
from dasha_ros.policies.learned.policy_content import WITH_COLOUR
from dasha_ros.policies.learned.policy_file import Agent, PolicyFile, PolicyInfo, shipped_policy
from dasha_ros.policies.planning.focus import GreedyFocus, PlannerFocus
from dasha_ros.policies.policy import ExposurePolicy, FocusPolicy, FocusTask
from dasha_ros.policies.registry import exposure_policy, focus_policies, focus_policy
from dasha_ros.policies.rivals.constant import ConstantExposure, ConstantFocus
from dasha_ros.policies.rivals.contrast_profile import ContrastProfile
from dasha_ros.policies.rivals.phase_shift import PhaseSensor, PhaseShiftFocus
from dasha_ros.policies.rivals.profile_fit import ProfileFitFocus
from dasha_ros.policies.rivals.q_network import QNetwork
from dasha_ros.policies.rivals.ten_dqn import TenDqnFocus, default_network
from dasha_ros.policies.search import ScriptedFocus, Search

ORACLE = "oracle"
PHASE_SHIFT = "phase_shift_rl"
BELIEVERS = frozenset({GreedyFocus.name, PlannerFocus.name})
"""Policies without a network that believe what ``plus`` believes."""
REFERENCE_BASED = frozenset({ORACLE, PHASE_SHIFT})
"""Policies that see the twin's truth: flagged in every table."""

Moment = TypeVar("Moment")
"""What a policy is made for."""
Policy = TypeVar("Policy")


class MethodError(ValueError):
    """An unknown name of a method; the message lists the known ones."""


@dataclass(frozen=True)
class Knowledge:
    """Profile and networks of the rivals, trained on one split; the shipped files if left out."""

    profile: ContrastProfile | None = None
    ten: QNetwork | None = None
    phase: QNetwork | None = None


@dataclass(frozen=True)
class Scene:
    """An episode that is about to begin; what a focus method is made for."""

    arena: Arena
    setting: FocusSetting
    start: Start


@dataclass(frozen=True)
class Method(Generic[Moment, Policy]):
    """One policy in a comparison."""

    policy: str
    """Its name in tables."""
    make: Callable[[Moment], Policy]
    """Makes the policy for an episode."""
    policy_seed: int | None = None
    """Seed of its training; ``None``: nothing was learned."""
    split: int | None = None
    """Split whose training photographs it learned from; ``None``: any."""
    sampled: bool = False
    """Whether actions are sampled by their probabilities."""
    encoder: str = ""
    """Id of the encoder whose latents it reads; empty: none."""
    digest: str = ""
    """Of its policy file; empty: it has none."""
    learned_from: frozenset[str] | None = frozenset()
    """SHA-256 of the photographs that it knows; ``None``: nothing says which."""

    @property
    def reference_based(self) -> bool:
        """Whether it sees the truth."""
        return self.policy in REFERENCE_BASED

    def may_play(self, split: int | None, photographs: Collection[str] = ()) -> bool:
        """Whether it learned neither from a split's test photographs nor from those of a view.

        Args:
            split: Number of the split; ``None``: of none.
            photographs: SHA-256 of the view's.
        """
        is_its_split = self.split is None or split in {None, self.split}
        return is_its_split and (self.learned_from or frozenset()).isdisjoint(photographs)


FocusMethod: TypeAlias = Method[Scene, FocusPolicy]
ExposureMethod: TypeAlias = Method[Start, ExposurePolicy]


class OracleFocus(ScriptedFocus):
    """Moves to the true focus: the best that any policy could reach with this lens and detector."""

    name = ORACLE

    def __init__(self, position: float) -> None:
        """``position``: where what is asked for is in focus, by the lens's map."""
        super().__init__()
        self._position = position

    def search(self, task: FocusTask, first: Percept) -> Search:
        """See the class."""
        return bool((yield self._position).of(task.labels, task.min_score))


def focus_methods(
    name: str,
    *,
    sampled: Sequence[bool] = (False,),
    knowledge: Knowledge | None = None,
    seed: int = 0,
    title: str | None = None,
) -> list[FocusMethod]:
    """The methods that a name stands for.

    Args:
        name: A registered policy, ``oracle``, ``phase_shift_rl``, ``constant:POSITION``, or the path of
            a learned policy (``.npz``).
        sampled: For learned policies: one method for each way of taking actions.
        knowledge: Profile and networks of the rivals.
        seed: Seed of sampled actions and synthetic signals.
        title: What a policy file is called in tables, from `trials.titles`; ``None``: as its preset.

    Raises:
        MethodError: No method has this name.
        PolicyFileError: A learned policy can't be read.
        QNetworkError: The network of a rival can't be read.
    """
    known = knowledge or Knowledge()
    if (path := learned_file(name, "focus")) is not None:
        return _learned_methods(
            LearnedFocus,
            "focus",
            name,
            path,
            sampled=sampled,
            seed_of=lambda scene: scene.start.seed + seed,
            title=title,
        )
    make = _rival(name, known, seed)
    if name in BELIEVERS:
        path = shipped_policy("plus", "focus")
        info = PolicyFile.load(path, "focus").info
        split, photographs = _number(info.made.get("split")), photographs_of(path, info)
        return [FocusMethod(name, make, split=split, encoder=info.encoder, learned_from=photographs)]
    if name == "ten_dqn":
        made = (known.ten or QNetwork.load(default_network())).made
        number = _number(made.get("seed")) if known.ten else None
        split, photographs = _number(made.get("split")), frozenset[str]() if known.ten else None
        return [FocusMethod(name, make, number, split, learned_from=photographs)]
    return [FocusMethod(name, make)]


def _rival(name: str, known: Knowledge, seed: int) -> Callable[[Scene], FocusPolicy]:
    """A function that makes the policies of a method without a policy file."""
    kind, _, argument = name.partition(":")
    if argument and kind != "constant":
        raise _takes_none(name, "constant:42.0", "`dasha benchmark focus` plays classes")
    if kind == "constant":
        position = _value(name, argument) if argument else None
        return lambda scene: _constant(name, position, scene)
    if kind == ORACLE:
        return lambda scene: OracleFocus(
            scene.arena.lens.position(scene.start.object_dioptres - scene.start.drift_dioptres)
        )
    if kind == PHASE_SHIFT:
        return lambda scene: PhaseShiftFocus(
            PhaseSensor(scene.arena.defocus_px, scene.start.seed + seed), known.phase
        )
    if kind == "profile_fit":
        return lambda _: ProfileFitFocus(known.profile)
    if kind == "ten_dqn":
        return lambda _: TenDqnFocus(known.ten)
    if kind in focus_policies():
        return lambda _: focus_policy(kind)
    names = sorted({*focus_policies(), *REFERENCE_BASED})
    raise MethodError(
        f"no focus policy {name!r}; there are: {', '.join(names)}, constant:POSITION, "
        "or the path of a learned policy (.npz)"
    )


def exposure_methods(
    name: str, *, sampled: Sequence[bool] = (False,), seed: int = 0, title: str | None = None
) -> list[ExposureMethod]:
    """The A^H methods that a name stands for; ``constant:MICROSECONDS`` names a value.

    Arguments and errors as for `focus_methods`.

    Raises:
        MethodError: No method has this name.
        PolicyFileError: A learned policy can't be read.
        UnknownPolicyError: No policy has this name.
    """
    if (path := learned_file(name, "exposure")) is not None:
        return _learned_methods(
            LearnedExposure,
            "exposure",
            name,
            path,
            sampled=sampled,
            seed_of=lambda start: start.seed + seed,
            title=title,
        )
    rival, _, argument = name.partition(":")
    if argument:
        if rival != "constant":
            raise _takes_none(name, "constant:40000", "`dasha up --exposure-policy` runs classes")
        exposure_us = _value(name, argument)
        if not T_MIN_US <= exposure_us <= T_MAX_US:
            raise MethodError(f"{name!r}: exposures go from {T_MIN_US:g} to {T_MAX_US:g} us")
        return [ExposureMethod(name, lambda _: ConstantExposure(exposure_us))]
    exposure_policy(name)
    return [ExposureMethod(name, lambda _: exposure_policy(name))]


def perception_for(
    names: Sequence[str], agent: Agent, *, exposure: str | None = None, **others: Any
) -> Perception:
    """Perception with every encoder that one of the policies reads; with the default one where none does.

    It reads detail from colours if one of the policies does.

    Args:
        names: Policies of an agent.
        agent: Which agent.
        exposure: Name of the A^H policy that plays before all of them.
        others: Of `Perception`.

    Raises:
        PolicyFileError: A learned policy can't be read.
        ModelError: A model is missing.
        UnknownModelError: No detector has the name.
    """
    infos = policy_infos(names, agent) + policy_infos([exposure] if exposure else [], "exposure")
    if wanted := joined(info.encoder for info in infos):
        others |= {"encoder": wanted, "colour_detail": any(info.extractor == WITH_COLOUR for info in infos)}
    return Perception(**others)


def policy_infos(names: Sequence[str], agent: Agent) -> list[PolicyInfo]:
    """What policy files were made for, of the policies that read one; raises `PolicyFileError`."""
    return [PolicyFile.load(path, agent).info for name in names if (path := _file_of(name, agent))]


def _file_of(name: str, agent: Agent) -> Path | None:
    """The policy file that a policy reads; ``None``: none."""
    return shipped_policy("plus", agent) if name in BELIEVERS else learned_file(name, agent)


def learned_file(name: str, agent: Agent) -> Path | None:
    """The file of a learned policy; ``None`` for other methods. Raises `MethodError` for an unknown home."""
    if name.endswith(".npz"):
        return expanded(name, MethodError)
    shipped = shipped_policy(name, agent)
    # `Path.is_file` raises an error for too long a name.
    return shipped if os.path.isfile(shipped) else None


def _learned_methods(
    policy: Callable[[Path, bool, int | None], Policy],
    agent: Agent,
    name: str,
    path: Path,
    *,
    sampled: Sequence[bool],
    seed_of: Callable[[Moment], int],
    title: str | None,
) -> list[Method[Moment, Policy]]:
    """The methods of a policy file: one for each way of taking actions."""
    info = PolicyFile.load(path, agent).info

    def maker(draw: bool) -> Callable[[Moment], Policy]:
        if draw:
            return lambda moment: policy(path, True, seed_of(moment))
        made = policy(path, False, None)
        return lambda _: made

    title = title or (info.preset if name.endswith(".npz") else path.stem.rsplit("_", 1)[0])
    seed, split = _number(info.made.get("seed")), _number(info.made.get("split"))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    learned_from = photographs_of(path, info)
    return [
        Method(title, maker(draw), seed, split, draw, info.encoder, digest, learned_from) for draw in sampled
    ]


def _constant(name: str, position: float | None, scene: Scene) -> ConstantFocus:
    lens = scene.arena.lens
    if position is not None and not lens.position_min <= position <= lens.position_max:
        raise MethodError(
            f"{name!r}: this lens takes positions from {lens.position_min:g} to {lens.position_max:g} "
            f"{lens.unit}"
        )
    return ConstantFocus(position, scene.setting.band_m)


def _takes_none(name: str, example: str, elsewhere: str) -> MethodError:
    """The error for a name with a colon, which may be meant as a class."""
    return MethodError(
        f"{name!r}: a class of your own does not play here, only policies by name and learned ones by file "
        f"(.npz): {elsewhere}. Of the names, only constant takes a value, as in {example}"
    )


def _value(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise MethodError(f"{name!r}: {text!r} is not a number") from None
    if not math.isfinite(value):
        raise MethodError(f"{name!r}: {text!r} is not a finite number")
    return value


def _number(value: object) -> int | None:
    return value if isinstance(value, int) else None
