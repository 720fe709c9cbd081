"""Every policy on every object of focal stacks, from every start frame."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from dasha_ros.benchmark.methods import FocusMethod, MethodError, Scene, focus_methods
from dasha_ros.benchmark.rows import Row
from dasha_ros.benchmark.trials.journal import Journal
from dasha_ros.benchmark.trials.row import EpisodeRow, episode_id, episode_row
from dasha_ros.benchmark.trials.titles import own_titles
from dasha_ros.devices.errors import DeviceError
from dasha_ros.devices.stack.description import Stack, StackError
from dasha_ros.devices.stack.lens import WHOLE_FRAMES
from dasha_ros.learning.evaluation.evaluate import play_focus
from dasha_ros.learning.evaluation.settings import FocusSetting, Start
from dasha_ros.learning.evaluation.stacks import StackArena, reason
from dasha_ros.optics.tone import Tone
from dasha_ros.perception.percept import Box, iou
from dasha_ros.perception.pipeline import Perception
from dasha_ros.policies.learned.policy_file import PolicyFileError
from dasha_ros.policies.outcome import ErrorCode
from dasha_ros.policies.policy import FocusTask

OVERLAPS = 0.1
"""A detection with less intersection over union with an object's box is another thing. It is small, because
people move between frames and a blurred object is wider."""
Progress = Callable[[int, int, str], None]
"""Called with how many episodes are done, of how many, and what is played."""


class StackRow(EpisodeRow):
    """What the rows of `play_stacks` hold."""

    stack: str
    object_number: int
    found_another: bool
    near: bool
    in_focus: bool
    tone: str
    step: float


@dataclass
class StackStudy:
    """What came of it, besides the rows in the journal."""

    skipped: dict[str, str] = field(default_factory=dict)
    """Stacks on which nobody played, and why."""
    refused: dict[str, str] = field(default_factory=dict)
    """Policies that can't run on a stack, and why."""


def stack_methods(
    names: Sequence[str], *, sampled: Sequence[bool] = (False,), seed: int = 0
) -> list[FocusMethod]:
    """The methods of some names, each as it ships.

    Raises:
        MethodError: A name is unknown.
        PolicyFileError: A learned policy can't be read.
    """
    titles = own_titles(names, "focus")
    return [
        each
        for name in names
        for each in focus_methods(name, sampled=sampled, seed=seed, title=titles.get(name))
    ]


def play_stacks(
    stacks: Sequence[Stack],
    methods: Sequence[FocusMethod],
    perception: Perception,
    journal: Journal,
    *,
    tone: Tone = "linear",
    step: float = WHOLE_FRAMES,
    seed: int = 0,
    progress: Progress | None = None,
    study: StackStudy | None = None,
) -> list[Row]:
    """Every method from every frame of every stack, for every object.

    Rows are those of `episode_row`, and

    - ``stack``, ``object``, ``object_number``: which object (its number in ``stack.yaml``, from 0)
    - ``found_another``: it ended "found", and the detection does not overlap the object's box: it is another
      thing of that label
    - ``near``: whether it is sharpest in the nearer half of the stack
    - ``in_focus``: whether the end is in the range that ``stack.yaml`` counts as in focus
    - ``tone``; ``step``: smallest move of the lens [frames]

    Args:
        stacks: The stacks.
        methods: Who plays.
        perception: Reads the frames.
        journal: Keeps each row at once; what it holds already is not played again.
        tone: Response curve of the camera.
        step: Smallest move of the lens [frames]; see `stack_lens`.
        seed: Seed of the sensor's noise.
        progress: Told how far it is.
        study: Told of stacks and policies that can't play.

    Returns:
        The rows that the journal holds of this study.

    Raises:
        JournalError: A row of the journal can't be one, or can't be written.
        StackError: No stack can be used.
        MethodError: No policy can run on a stack.
    """
    made = study or StackStudy()
    total = sum(len(stack.files) * len(stack.objects) for stack in stacks) * len(methods)
    done = 0
    used = 0
    for stack in stacks:
        try:
            arena = StackArena(stack, perception, tone=tone, step=step, seed=seed)
        except (StackError, DeviceError) as error:
            made.skipped[stack.name] = reason(error, stack.folder)
            total -= len(stack.files) * len(stack.objects) * len(methods)
            continue
        used += 1
        setting = arena.setting(f"stacks_{tone}")
        able = [method for method in methods if _takes(method, arena, setting, made.refused)]
        total -= len(stack.files) * len(stack.objects) * (len(methods) - len(able))
        digest = stack.digest()
        for number in range(len(stack.objects)):
            for start in arena.starts(number):
                for method in able:
                    name = episode_id(method, setting.name, digest, number, start, step, seed)
                    if journal.take(name, model=StackRow) is None:
                        row = _played(arena, method, setting, start)
                        journal.add(name, row | {"tone": tone, "step": step})
                    done += 1
                    if progress is not None:
                        progress(done, total, f"episodes: {stack.name}, {method.policy}")
    if not used:
        raise StackError(f"no stack can be used; {_reasons(made.skipped)}")
    if not done:
        raise MethodError(f"no policy can run on a stack; {_reasons(made.refused)}")
    return journal.played


def _played(arena: StackArena, method: FocusMethod, setting: FocusSetting, start: Start) -> Row:
    policy = method.make(Scene(arena, setting, start))
    trial = play_focus(arena, policy, start, encoder=method.encoder)
    thing = arena.stack.objects[start.view]
    first, last = thing.in_focus
    frame = arena.lens.position(arena.rig.focus_dioptres)
    return {
        **episode_row(method, trial, setting=setting.name, split=None, arena=arena.name),
        "stack": arena.stack.name,
        "object_number": start.view,
        "found_another": trial.code is ErrorCode.NONE and not _overlaps(trial.box, thing.box),
        "near": arena.is_near(start.view),
        "in_focus": first <= round(frame, 6) <= last,
    }


def _overlaps(seen: Box | None, true: Box) -> bool:
    return seen is not None and iou(seen, true) >= OVERLAPS


def _takes(method: FocusMethod, arena: StackArena, setting: FocusSetting, refused: dict[str, str]) -> bool:
    """Whether a policy runs with this lens; the reason why not is noted once."""
    try:
        policy = method.make(Scene(arena, setting, arena.starts(0)[0]))
        policy.reset(FocusTask(arena.lens, frozenset({arena.views[0].label})))
    except (MethodError, PolicyFileError) as error:
        refused.setdefault(method.policy, str(error))
        return False
    return True


def _reasons(reasons: Mapping[str, str]) -> str:
    return "; ".join(f"{name}: {why}" for name, why in reasons.items())
