"""Writes the report of a goal from the agents' feedback."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from sensor_msgs.msg import CompressedImage

from dasha_ros import __version__, msg
from dasha_ros.perception.percept import Percept
from dasha_ros.report.model import ReportError
from dasha_ros.report.writer import Report, ReportWriter
from dasha_ros.ros.transport.stamps import to_ns

_KEPT_PICTURES = 8


class Recorder:
    """Writes the report of one goal. A failure to write causes a warning, but never ends the goal.

    A step's picture is published after its percept, so a step is written when the next one comes.
    Not thread-safe.
    """

    def __init__(self, on_failure: Callable[[str], None]) -> None:
        self._on_failure = on_failure
        self._report: Report | None = None
        self._pictures: dict[int, bytes] = {}
        self._waiting: dict[str, Any] | None = None
        self._first: bytes | None = None
        self._last: bytes | None = None

    def begin(
        self, writer: ReportWriter, goal: dict[str, Any], info: msg.PerceptionInfo, before: dict[str, Any]
    ) -> None:
        """Begin the report."""
        setup = {"version": __version__, "encoder": info.encoder, "detector": info.detector}
        self._report = self._try(lambda: writer.begin(goal, setup, before))

    def picture(self, message: CompressedImage) -> None:
        """Keep an annotated frame."""
        self._pictures[to_ns(message.header.stamp)] = bytes(message.data)
        while len(self._pictures) > _KEPT_PICTURES:
            del self._pictures[next(iter(self._pictures))]

    @property
    def is_complete(self) -> bool:
        """Whether the last step has its picture or needs none."""
        waiting = self._waiting
        return waiting is None or self._report is None or waiting["frame"]["stamp_ns"] in self._pictures

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
        for key in ("capture", "lens", "latent", "detail", "histogram_edges"):
            del record[key]
        record["histogram_counts"] = [int(n) for n in seen.histogram_counts]
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

    def finish(self, outcome: dict[str, Any], after: dict[str, Any]) -> str:
        """Finish the report and return its folder, or "" if there is none."""
        self._flush()
        report = self._report
        if report is None:
            return ""

        def write() -> str:
            for name, picture in (("before", self._first), ("after", self._last)):
                if picture is not None:
                    report.picture(name, picture)
            return str(report.finish(outcome, after))

        return self._try(write) or ""

    def _flush(self) -> None:
        step, self._waiting = self._waiting, None
        if step is None or self._report is None:
            return
        picture = self._pictures.get(step["frame"]["stamp_ns"])
        self._first, self._last = self._first or picture, picture or self._last
        report = self._report
        self._try(lambda: report.step(step, picture))

    def _try(self, action: Callable[[], Any]) -> Any:
        try:
            return action()
        except ReportError as error:
            if self._report is not None:
                self._report.discard()
            self._report = None
            self._on_failure(str(error))
            return None
