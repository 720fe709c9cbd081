"""``dasha record``: writes the topics of a running graph to MCAP files."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dasha_ros.cli.terminal.console import (
    Exit,
    err,
    fail,
    interrupted,
    out,
    refused_or_failed,
)
from dasha_ros.cli.terminal.given import refuse_all_given
from dasha_ros.cli.terminal.options import Namespace
from dasha_ros.system.signals import signals_collected

if TYPE_CHECKING:
    from dasha_ros.recording.writer import RecordingWriter
    from dasha_ros.ros.recording.recorder import Recorder

_NICE = 10
"""The recorder yields to the graph."""
_LOOK_S = 0.5
_TELL_S = 10.0
_UNWRITABLE = ("/_action/feedback", "/_service_event")
"""How the names of topics end whose types have no ``.msg`` file, which a recording would need."""


def record(
    context: typer.Context,
    *,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="New folder; left out: recording-DATE-TIME.")
    ] = None,
    topic: Annotated[
        list[str] | None,
        typer.Option("--topic", "-t", help="Record only this topic; repeatable. Relative to the namespace."),
    ] = None,
    images: Annotated[str, typer.Option(help="raw, jpeg (8 bits only, lossy) or none.")] = "raw",
    jpeg_quality: Annotated[int, typer.Option(min=1, max=100, help="Quality with --images jpeg.")] = 95,
    split_mb: Annotated[
        float, typer.Option(min=0.0, help="Begin a new file after this many MB; 0: never.")
    ] = 1000.0,
    limit_mb: Annotated[
        float, typer.Option(min=0.0, help="End after this many MB in all; 0: when the disk is full.")
    ] = 0.0,
    seconds: Annotated[float, typer.Option(min=0.0, help="End after this time; 0: at Ctrl-C.")] = 0.0,
    wait: Annotated[
        float, typer.Option(min=0.0, help="Seconds to wait for the first topic; 0: forever.")
    ] = 10.0,
    recover: Annotated[
        Path | None,
        typer.Option(help="Record nothing: make a closed copy of what is whole in a damaged recording."),
    ] = None,
    namespace: Namespace = "/dasha",
) -> None:
    """Record the topics of a running graph as MCAP, until Ctrl-C. `dasha replay` plays them."""
    try:
        from dasha_ros.recording.writer import RecordingError
    except ImportError as error:
        fail(f"{error}. `dasha record` needs the packages mcap and mcap-ros2-support: run ./scripts/setup")
    if recover is not None:
        refuse_all_given(context, ("recover", "output"), "--recover")
        _recover(recover, output)
        return
    if images not in ("raw", "jpeg", "none"):
        fail(f"--images {images!r} is none of raw, jpeg and none", Exit.REFUSED)
    from dasha_ros.ros.node.memory import keep_memory, share_one_heap

    share_one_heap()
    keep_memory()
    os.nice(_NICE)
    folder = output or Path(f"recording-{datetime.now():%Y%m%d-%H%M%S}")
    order = _Order(namespace, folder, topic or [], images, jpeg_quality, split_mb, limit_mb, seconds, wait)
    try:
        with signals_collected() as stop:
            code = _record(order, stop)
    except RecordingError as error:
        fail(str(error), refused_or_failed(error))
    raise typer.Exit(code)


@dataclass(frozen=True)
class _Order:
    """What the user asked for."""

    namespace: str
    folder: Path
    topics: list[str]
    images: str
    jpeg_quality: int
    split_mb: float
    limit_mb: float
    seconds: float
    wait_s: float


def _record(order: _Order, stop: list[int]) -> Exit:
    from dasha_ros.bringup.environment import profile_of
    from dasha_ros.bringup.graph_client import GraphClient
    from dasha_ros.cli.graph.introspection import BadTopicError, full_topic_name
    from dasha_ros.config import ConfigError
    from dasha_ros.recording.writer import RecordingWriter
    from dasha_ros.ros.recording.recorder import Recorder
    from dasha_ros.ros.recording.topics import topics_to_record

    # Frames come through shared memory, as perception gets them.
    os.environ.update(profile_of("perception"))
    try:
        client = GraphClient(order.namespace)
    except ConfigError as error:
        fail(str(error), Exit.REFUSED)
    with client:
        try:
            wanted = [full_topic_name(client.node, name) for name in order.topics]
        except BadTopicError as error:
            fail(str(error), Exit.REFUSED)
        for name in wanted:
            if name.endswith(_UNWRITABLE):
                fail(
                    f"{name} belongs to an action or a service, and a recording holds plain messages only: "
                    f"`dasha echo {name}` prints it",
                    Exit.REFUSED,
                )

        def is_there() -> bool:
            """Whether anything wanted is published; what every graph has, as /diagnostics, tells nothing."""
            found = topics_to_record(client.node, client.namespace, wanted)
            own = f"{client.namespace.rstrip('/')}/"
            return any(wanted or name.startswith(own) for name in found)

        client.until(lambda: stop or is_there(), order.wait_s or float("inf"))
        if not stop and not is_there():
            what = ", ".join(wanted) or f"any topic in {client.namespace}"
            fail(
                f"no node publishes {what}. Is the graph running in this ROS_DOMAIN_ID? "
                "`dasha doctor` lists what is visible",
                Exit.UNREACHABLE,
            )
        writer = RecordingWriter(
            order.folder,
            split_bytes=_bytes(order.split_mb),
            limit_bytes=_bytes(order.limit_mb),
        )
        recorder = Recorder(
            client.node,
            client.namespace,
            writer,
            named=wanted,
            images=order.images,
            jpeg_quality=order.jpeg_quality,
            tell=lambda sentence: err().print(f"warning: {sentence}", style="yellow"),
        )
        err().print(f"recording to {order.folder}; Ctrl-C ends it")
        try:
            _until_the_end(recorder, writer, order.seconds, stop, lambda: client.until(lambda: stop, _LOOK_S))
        finally:
            recorder.close()
            writer.close()
    _warn(recorder.refused, "no JPEG has their encoding; use --images raw")
    _warn(recorder.missed, "the machine was too busy to hear them")
    for topic, why in recorder.unheard.items():
        err().print(f"warning: nothing of {topic} is in it: {why}", style="yellow")
    return _told(writer, recorder.topics, order.folder)


def _bytes(mb: float) -> int:
    """Megabytes in bytes. 0 means that there is no limit, so a tiny one is not rounded to it."""
    return max(1, round(mb * 1e6)) if 0.0 < mb < math.inf else 0


def _until_the_end(
    recorder: Recorder,
    writer: RecordingWriter,
    seconds: float,
    stop: list[int],
    pause: Callable[[], object],
) -> None:
    begun = told = time.monotonic()
    is_told = False
    while not (stop or writer.ended or (seconds and time.monotonic() - begun >= seconds)):
        recorder.look()
        pause()
        recorder.tick()
        if recorder.hears_goals and not is_told:
            is_told = True
            err().print("camera and lens are heard: a goal that begins now can be replayed")
        if time.monotonic() - told >= _TELL_S:
            told = time.monotonic()
            err().print(f"{_amount(writer, recorder.topics)} after {told - begun:.0f} s")


def _warn(missing: Mapping[str, int], why: str) -> None:
    for topic, count in missing.items():
        if count:
            sentence = f"warning: {count} pictures of {topic} are missing: {why}"
            err().print(sentence, style="yellow")


def _amount(writer: RecordingWriter, topics: int) -> str:
    return f"{writer.messages} messages of {topics} topics, {writer.size / 1e6:.1f} MB"


def _told(writer: RecordingWriter, topics: int, folder: Path) -> Exit:
    """Print what was recorded; returns the exit code."""
    files = f"{len(writer.parts)} file{'s' if len(writer.parts) != 1 else ''}"
    out().print(f"{_amount(writer, topics)} in {files}: {folder}")
    if not writer.ended:
        return Exit.OK
    err().print(writer.ended, style="yellow")
    return Exit.FAILED if writer.failed else Exit.OK


def _recover(path: Path, output: Path | None) -> None:
    from dasha_ros.recording.recover import recover as recovered
    from dasha_ros.recording.writer import RecordingError

    try:
        target = output or _beside(path)
        count, troubles = recovered(path, target)
    except KeyboardInterrupt as reason:
        err().print("stopped: nothing was copied")
        raise typer.Exit(interrupted(reason)) from None
    except RecordingError as error:
        fail(str(error), refused_or_failed(error))
    for sentence in troubles:
        err().print(f"warning: {sentence}", style="yellow")
    out().print(f"{count} messages are whole and closed in {target}")


def _beside(path: Path) -> Path:
    """Where the copy of a recording goes: beside it."""
    from dasha_ros.files.naming import expanded
    from dasha_ros.recording.writer import RecordingError

    path = expanded(path, RecordingError)
    if path.name in ("", ".."):
        # `.` and `..` have no name of their own. Links are not followed: the copy belongs beside the link.
        path = Path(os.path.abspath(path))
    if not path.name:
        raise RecordingError(f"{path} is no recording: give its folder or its file")
    name = path.name if path.is_dir() else path.name.removesuffix(".mcap")
    return path.with_name(f"{name}-recovered")
