"""Writes the report of a goal from the agents' feedback."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, TypeVar

from sensor_msgs.msg import CompressedImage

from dasha_ros import __version__, msg
from dasha_ros.control.step import LOW_LEVEL
from dasha_ros.optics.lens_info import LensInfo
from dasha_ros.perception.percept import Percept
from dasha_ros.report.model import ReportError
from dasha_ros.report.writer import Report, ReportWriter
from dasha_ros.ros.transport.stamps import to_ns

_KEPT = 8
"""Number of pictures, and of beliefs, that wait for their steps."""

Kept = TypeVar("Kept")


class Recorder:
    """Writes the report of one goal. A failure to write causes a warning, but never ends the goal.

    A step's picture and belief come after its percept, so a step is written when the next one comes.
    Not thread-safe.
    """

    def __init__(self, on_failure: Callable[[str], None]) -> None:
        self._on_failure = on_failure
        self._report: Report | None = None
        self._pictures: dict[int, bytes] = {}
        self._beliefs: dict[int, dict[str, Any]] = {}
        self._waiting: dict[str, Any] | None = None
        self._numbers: dict[str, Any] = {}
        """What perception read from the waiting step's picture."""
        self._first: bytes | None = None
        self._last: bytes | None = None

    def begin(
        self,
        writer: ReportWriter,
        goal: dict[str, Any],
        info: msg.PerceptionInfo,
        before: dict[str, Any],
    ) -> None:
        """Begin the report."""
        setup = {"version": __version__, "encoder": info.encoder, "detector": info.detector}
        self._report = self._try(lambda: writer.begin(goal, setup, before))

    def picture(self, message: CompressedImage) -> None:
        """Keep an annotated frame."""
        self._keep(self._pictures, message, bytes(message.data))

    def belief(self, message: msg.Belief) -> None:
        """Keep what A^L believed after a frame."""
        believed = {name: tuple(map(float, getattr(message, name))) for name in ("dioptres", "probability")}
        self._keep(self._beliefs, message, believed)

    @property
    def is_complete(self) -> bool:
        """Whether the last step has its picture, and its belief if A^L has one, or needs none."""
        waiting = self._waiting
        if waiting is None or self._report is None:
            return True
        stamp = waiting["frame"]["stamp_ns"]
        believes = bool(self._beliefs) and waiting["agent"] == LOW_LEVEL
        return stamp in self._pictures and (not believes or stamp in self._beliefs)

    def step(self, reward: msg.Reward, seen: Percept) -> None:
        """Add a step of an agent. A step whose names and values differ in number is omitted."""
        self._flush()
        if self._report is None:
            return
        for what in ("term", "action"):
            names, values = getattr(reward, f"{what}_names"), getattr(reward, f"{what}_values")
            if len(names) != len(values):
                self._on_failure(
                    f"the report omits step {reward.step} of {reward.agent}: it has {len(names)} "
                    f"{what}_names but {len(values)} {what}_values; run an agent that sends as many of both"
                )
                return
        role = "exposure_policy" if reward.agent == "A^H" else "focus_policy"
        self._report.describe(**{role: reward.policy})
        record = asdict(seen)
        for key in ("capture", "lens", "latent", "detail", "colour_detail", "histogram_edges"):
            del record[key]
        record["histogram_counts"] = [int(n) for n in seen.histogram_counts]
        self._numbers = {"latent": seen.latent, "detail": seen.detail}
        if len(seen.colour_detail):
            self._numbers["colour_detail"] = seen.colour_detail
        self._waiting = {
            "agent": reward.agent,
            "index": reward.step,
            "command": {
                "id": asdict(
                    seen.capture.exposure_command if reward.agent == "A^H" else seen.capture.lens.command
                ),
                **dict(zip(reward.action_names, reward.action_values, strict=True)),
            },
            "frame": asdict(seen.capture),
            "lens": {k: v for k, v in asdict(seen.lens).items() if k != "settled"},
            "percept": record,
            "reward": {
                "value": reward.value,
                "terms": dict(zip(reward.term_names, reward.term_values, strict=True)),
            },
        }

    def finish(self, outcome: dict[str, Any], after: dict[str, Any], lens: LensInfo | None = None) -> str:
        """Finish the report and return its folder, or "" if there is none.

        Args:
            outcome: How the goal ended.
            after: The settings now.
            lens: What the lens driver told of its lens. It may come after the first goal began.
        """
        self._flush()
        report = self._report
        if report is None:
            return ""

        def write() -> str:
            if lens is not None:
                report.describe(lens=asdict(lens))
            for name, picture in (("before", self._first), ("after", self._last)):
                if picture is not None:
                    report.picture(name, picture)
            # Whoever asked for the goal may run in another folder.
            return os.path.abspath(report.finish(outcome, after))

        folder = self._try(write) or ""
        # A goal that has ended may be kept for a while.
        self._report = self._first = self._last = None
        self._pictures, self._beliefs, self._numbers = {}, {}, {}
        return folder

    def _keep(self, kept: dict[int, Kept], message: CompressedImage | msg.Belief, value: Kept) -> None:
        """Keep a value under the stamp of its message, and drop the oldest ones.

        That of the waiting step stays: while an object is held, many pictures come before the next step.
        """
        kept[to_ns(message.header.stamp)] = value
        awaited = self._waiting["frame"]["stamp_ns"] if self._waiting else None
        while len(kept) > _KEPT:
            del kept[next(stamp for stamp in kept if stamp != awaited)]

    def _flush(self) -> None:
        step, self._waiting = self._waiting, None
        if step is None or self._report is None:
            return
        stamp, report, numbers = step["frame"]["stamp_ns"], self._report, self._numbers
        picture = self._pictures.get(stamp)
        self._first, self._last = self._first or picture, picture or self._last
        # A^L begins with A^H's last frame, of which A^H has no belief.
        step["belief"] = self._beliefs.get(stamp) if step["agent"] == LOW_LEVEL else None
        self._try(lambda: report.step(step, picture, numbers))

    def _try(self, action: Callable[[], Any]) -> Any:
        try:
            return action()
        except ReportError as error:
            if self._report is not None:
                self._report.discard()
            self._report = None
            self._on_failure(str(error))
            return None
