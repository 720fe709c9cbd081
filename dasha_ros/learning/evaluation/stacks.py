"""Focal stacks as an arena: the true focus of their objects is known, and nothing is rendered."""

from __future__ import annotations

from pathlib import Path

from dasha_ros.control.in_process_rig import Usage
from dasha_ros.control.stack_rig import StackRig
from dasha_ros.devices.stack.camera import AS_RECORDED_US
from dasha_ros.devices.stack.description import FILE, Stack, StackError, load_stack
from dasha_ros.devices.stack.lens import WHOLE_FRAMES, stack_lens
from dasha_ros.files.errors import shown
from dasha_ros.learning.dataset.scenes.views import ViewInfo
from dasha_ros.learning.evaluation.settings import FocusSetting, Start
from dasha_ros.optics.exposure_table import ExposureTable, exposure_table
from dasha_ros.optics.lens import LensProfile
from dasha_ros.optics.tone import Tone
from dasha_ros.perception.labels import canonical, unknown_label
from dasha_ros.perception.pipeline import Perception


class StackArena:
    """One stack as an `Arena`: a view for each object, in the order of ``stack.yaml``."""

    name = "stack"

    def __init__(
        self,
        stack: Stack,
        perception: Perception,
        *,
        tone: Tone = "linear",
        step: float = WHOLE_FRAMES,
        seed: int = 0,
    ) -> None:
        """Read the frames.

        Args:
            stack: The stack; its objects are what policies look for.
            perception: Reads the frames, with the latents that the policies read; in colour if it reads
                detail from colours.
            tone: Response curve of the camera.
            step: Smallest move of the lens [frames]; see `stack_lens`.
            seed: Seed of the sensor's noise.

        Raises:
            StackError: It can't be evaluated on; the message says why.
            DeviceError: A frame can't be read.
        """
        self.stack = stack
        self.lens: LensProfile = stack_lens(stack, step)
        self.table: ExposureTable = exposure_table()
        self._check(perception)
        self.views = tuple(self._view(number) for number in range(len(stack.objects)))
        encoding = "rgb8" if perception.colour_detail else "mono8"
        self.rig = StackRig(
            perception, stack, tone=tone, encoding=encoding, step=step, table=self.table, seed=seed
        )
        self._object_dioptres = 0.0

    @property
    def usage(self) -> Usage:
        """See `Arena`."""
        return self.rig.usage

    def place(self, start: Start, encoder: str = "") -> None:
        """See `Arena`. The latents are those of the perception."""
        self.rig.place(start.position, start.exposure_us)
        self._object_dioptres = start.object_dioptres

    def defocus_px(self) -> float:
        """See `Arena`: how far the shown frame is from the object's sharpest one."""
        return self.lens.blur_px(self.rig.focus_dioptres, self._object_dioptres)

    def starts(self, view: int) -> list[Start]:
        """One start at each frame, exposed as recorded."""
        sharpest = self.lens.dioptres(self.stack.objects[view].sharpest_frame)
        count = len(self.stack.files)
        return [Start(view, float(frame), sharpest, 0.0, 0.0, AS_RECORDED_US, 0) for frame in range(count)]

    def is_near(self, view: int) -> bool:
        """Whether an object is sharpest in the nearer half of the stack."""
        return self.stack.objects[view].sharpest_frame < (len(self.stack.files) - 1) / 2.0

    def setting(self, name: str) -> FocusSetting:
        """The setting that rivals are told of: planes at any distance that the stack holds."""
        nearest = 1.0 / self.lens.dioptres(self.lens.position_min)
        return FocusSetting(name, "plane", (nearest, float("inf")))

    def _view(self, number: int) -> ViewInfo:
        label = canonical(self.stack.objects[number].label)
        return ViewInfo(f"{self.stack.name}/{number}/{label}", "plane", label, (self.stack.name,))

    def _check(self, perception: Perception) -> None:
        if not self.stack.objects:
            raise StackError(f"{FILE} names no objects, so there is nothing to look for")
        labels = [thing.label for thing in self.stack.objects]
        if why := unknown_label(labels, tuple(perception.detector.labels), perception.detector.id):
            raise StackError(f"{FILE}: {why}")


def stacks_in(folder: Path) -> tuple[list[Stack], dict[str, str]]:
    """The stack in a folder, or all stacks in the folders below it.

    Returns:
        The stacks, and the folders that are none, with the reasons.

    Raises:
        StackError: There is no such folder, or no stack in it.
    """
    stacks: list[Stack] = []
    skipped: dict[str, str] = {}
    try:
        if not folder.is_dir() or (folder / FILE).exists():
            return [load_stack(folder)], {}
        inside = sorted(folder.iterdir())
    except OSError as error:
        raise StackError(f"{shown(folder)} can't be read: {error.strerror or error}") from error
    for path in inside:
        if path.is_dir() and not path.name.startswith("."):
            try:
                stacks.append(load_stack(path))
            except StackError as error:
                skipped[shown(path.name)] = reason(error, path)
    if not stacks:
        others = "".join(f"; {name}: {why}" for name, why in list(skipped.items())[:3])
        raise StackError(
            f"{shown(folder)} holds no focal stack, which is a folder with frames and a {FILE}{others}"
        )
    return stacks, skipped


def reason(error: Exception, folder: Path) -> str:
    """What an error says of a stack, without the stack's path."""
    return str(error).removeprefix(f"focal stack {shown(folder.resolve())}: ")
