"""Where parts play episodes: on test photographs of a percept cache, that of the user or a small one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dasha_ros.benchmark import evaluation
from dasha_ros.benchmark.methods import FocusMethod, Knowledge, focus_methods
from dasha_ros.benchmark.paper.part import Context, PartMissingError
from dasha_ros.benchmark.testbed import cache_testbed
from dasha_ros.benchmark.trials.journal import Journal
from dasha_ros.learning.dataset.cache.build import build_cache
from dasha_ros.learning.dataset.cache.places import found_cache
from dasha_ros.learning.dataset.cache.store import CacheError
from dasha_ros.learning.dataset.scenes.description import SceneSetError, load_scene_set
from dasha_ros.learning.dataset.scenes.views import ViewInfo
from dasha_ros.learning.evaluation.arenas import Arena
from dasha_ros.learning.evaluation.evaluate import FocusTrial
from dasha_ros.learning.evaluation.settings import FocusSetting
from dasha_ros.perception.errors import ModelError
from dasha_ros.policies.learned.policy_file import Agent

SPLIT = 0
"""The split by photograph on which the policies and rivals that ship were trained."""


@dataclass(frozen=True)
class Ground:
    """An arena, and which of its views parts may use."""

    arena: Arena
    numbers: tuple[int, ...]
    said: str
    """A sentence that says which photographs these are."""
    split: int | None = None
    knowledge: Knowledge = field(default_factory=Knowledge)
    """What the rivals learned on the same photographs as the agents."""

    def views(self, kind: str) -> list[int]:
        """Numbers of the views of a kind, ``plane`` or ``composite``."""
        return [number for number in self.numbers if self.arena.views[number].kind == kind]

    def methods(self, names: Sequence[str], seed: int) -> list[FocusMethod]:
        """The focus methods of some names, each with its likeliest actions.

        Raises:
            MethodError: A name is unknown.
            PolicyFileError: A learned policy can't be read.
        """
        return [
            method for name in names for method in focus_methods(name, knowledge=self.knowledge, seed=seed)
        ]

    def play(
        self,
        context: Context,
        part: str,
        methods: Sequence[FocusMethod],
        setting: FocusSetting,
        *,
        per_view: int,
        journal: Journal,
        exposure: str = evaluation.HAND_OVER_POLICY,
    ) -> list[tuple[FocusMethod, FocusTrial]]:
        """Every method from the same starts, on every view of the setting's kind; see `evaluation.play`.

        Args:
            context: Of the run.
            part: Name of the part, for the progress.
            methods: Who plays.
            setting: What is drawn.
            per_view: Episodes of each method for each view.
            journal: Keeps the episodes.
            exposure: Name of the A^H policy, where the setting has a hand-over.
        """
        return evaluation.play(
            self.arena, methods, setting, self.views(setting.kind), per_view=per_view, seed=context.seed,
            split=self.split, exposure=exposure, journal=journal,
            progress=lambda done, total, what: context.progress(done, total, f"{part}: {what}"),
        )  # fmt: skip


def ground_of(context: Context, names: Sequence[str], agent: Agent) -> Ground:
    """The test photographs of `Context.cache`, or without one a small cache of what every installation has.

    Args:
        context: Of the run.
        names: The policies that will play.
        agent: Whose policies they are.

    Raises:
        PartMissingError: The cache can't be used or made, or a model is missing.
        PolicyFileError: A learned policy can't be read.
    """
    path, is_own = cache_of(context)
    try:
        bed = cache_testbed(path, agent, names, splits=SPLIT + 1)
    except (CacheError, ModelError) as error:
        raise PartMissingError(str(error)) from error
    part = bed.parts[SPLIT]
    views = bed.arena.views
    held = range(len(views)) if is_own else part.numbers
    numbers = [number for number in held if views[number].disturbance is None]
    pictures = {photo for number in numbers for photo in bed.arena.views[number].photographs}
    held_out = "that no policy was trained on"
    if is_own:
        held_out = (
            "that every installation has; policies may have been trained on some of them, --cache plays "
        )
        held_out += "on held-out ones"
    said = f"Percepts of {len(numbers)} views of {len(pictures)} photographs and cut-outs {held_out}."
    if is_own:
        return Ground(bed.arena, tuple(numbers), said)
    return Ground(bed.arena, tuple(numbers), said, part.split, part.knowledge[0])


def cache_of(context: Context) -> tuple[Path, bool]:
    """The folder of the percept cache, and whether it is the run's own, made for want of another.

    The own one lies in ``percepts`` below the results, and is completed if a run was killed while making it.

    Raises:
        PartMissingError: It can't be made.
    """
    if context.cache is not None:
        try:
            return found_cache(context.cache), False
        except CacheError as error:
            raise PartMissingError(str(error)) from error
    name = "quick" if context.quick else "small"
    scene_set = load_scene_set("small")
    if context.quick and scene_set.planes is not None:
        planes = scene_set.planes.model_copy(update={"framings": scene_set.planes.framings[:1]})
        scene_set = scene_set.model_copy(update={"name": name, "planes": planes, "composites": None})
    try:
        cache = build_cache(
            scene_set,
            context.folder / "percepts" / name,
            progress=lambda what, done, total: context.progress(done, total, f"percepts: {what}"),
        )
    except (CacheError, SceneSetError, ModelError) as error:
        raise PartMissingError(str(error)) from error
    return cache.path, True


def photographs_of(view: ViewInfo) -> str:
    """What episodes of a view have in common with others, for intervals."""
    return "+".join(view.photographs)
