"""Runs the emulators as programs that obey lines of text, for ``dasha emulate``.

The lines let a person, or a test in another process, pull cables and change settings while a graph runs.
"""

from __future__ import annotations

import shlex
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Protocol

from dasha_ros.emulators.camera.server import PictureServer
from dasha_ros.emulators.camera.twin_view import TwinView
from dasha_ros.emulators.lens.line import LineFaults
from dasha_ros.emulators.lens.port import LensEmulator, LensEmulatorSettings
from dasha_ros.twin.world import World

Say = Callable[[str], None]
Command = Callable[[list[str]], str]

LENS_HELP = (
    "unplug [SECONDS], plug, brown-out, set KNOB=VALUE ..., clear, faults BITS, state, help; "
    "knobs: drop_request corrupt_request drop_reply corrupt_reply half_reply late_reply late_s nack noise"
)
CAMERA_HELP = (
    "set [scene=NAME] [illuminance_lx=LX] [distances_m=M,M] [temperature_c=C] [lamp_hz=HZ] "
    "[lamp_depth=SHARE], state, help"
)


def run_lens(
    link: Path,
    settings: LensEmulatorSettings,
    lines: Iterable[str],
    say: Say = print,
    stop: threading.Event | None = None,
) -> None:
    """Serve an emulated lens at ``link`` and obey ``lines``, then wait for ``stop``.

    Args:
        link: Path of the port.
        settings: How the lens behaves.
        lines: Commands (see `LENS_HELP`), usually standard input.
        say: Gets every answer.
        stop: Ends the emulator; without it, the last line does.

    Raises:
        FileExistsError: The path is taken.
    """
    with LensEmulator(link, settings) as emulator:
        say(f"lens at {link}")
        obey(lines, _lens_commands(emulator, stop or threading.Event()), LENS_HELP, say, stop)


def run_camera(
    socket: Path, view: TwinView, lines: Iterable[str], say: Say = print, stop: threading.Event | None = None
) -> None:
    """Serve the twin's pictures at ``socket`` and obey ``lines``, then wait for ``stop``.

    Raises:
        FileExistsError: The path is taken.
    """
    with PictureServer(socket, view):
        say(f"pictures at {socket}")
        obey(lines, _camera_commands(view), CAMERA_HELP, say, stop)


def obey(
    lines: Iterable[str],
    commands: Mapping[str, Command],
    usage: str,
    say: Say,
    stop: threading.Event | None,
) -> None:
    """Obey lines until they end, or until ``stop`` is set; then wait for it.

    Args:
        lines: A command and its words each; comments begin with ``#``.
        commands: What to call for a command, with its words; the answer is said.
        usage: Said for an unknown command, and after an error.
        say: Gets every answer.
        stop: Ends it; ``None``: the last line does.
    """
    for line in lines:
        try:
            words = shlex.split(line, comments=True)
            if not words:
                continue
            command = commands.get(words[0])
            say(usage if command is None else command(words[1:]))
        except (ValueError, TypeError, IndexError, FileNotFoundError) as error:
            say(f"error: {error} ({usage})")
        if stop is not None and stop.is_set():
            return
    if stop is not None:
        stop.wait()


class HasCable(Protocol):
    """An emulated device whose cable can be pulled."""

    def plug(self) -> None:
        """Plug it in."""
        ...

    def unplug(self) -> None:
        """Pull it."""
        ...


def cable_commands(device: HasCable, stop: threading.Event) -> dict[str, Command]:
    """The commands ``unplug [SECONDS]`` and ``plug``; ``stop`` ends the wait."""

    def unplug(words: list[str]) -> str:
        seconds = _number("unplug", words[0]) if words else None
        if seconds is not None and not 0.0 <= seconds <= threading.TIMEOUT_MAX:
            raise ValueError(
                f"unplug takes so many seconds, not {words[0]}: without any, it lasts until plug"
            )
        device.unplug()
        if seconds is None:
            return "unplugged"
        stop.wait(seconds)
        device.plug()
        return "plugged in again"

    def plug(_: list[str]) -> str:
        device.plug()
        return "plugged in"

    return {"unplug": unplug, "plug": plug}


def _lens_commands(emulator: LensEmulator, stop: threading.Event) -> dict[str, Command]:
    def brown_out(_: list[str]) -> str:
        emulator.brown_out()
        return f"restarted in {emulator.board.mode_name} mode"

    def set_knobs(words: list[str]) -> str:
        emulator.set_faults(**_knobs(words))
        return "set " + " ".join(words)

    def clear(_: list[str]) -> str:
        emulator.clear_faults()
        return "the line is clean"

    def faults(words: list[str]) -> str:
        bits = _byte(words)
        emulator.board.set_faults(bits)
        return f"fault register {bits:#04x}"

    def state(_: list[str]) -> str:
        board = emulator.board
        plugged = "plugged in" if emulator.plugged else "unplugged"
        held = f"{emulator.position():.4f} {board.unit}, code {board.code}, mode {board.mode}"
        return f"{plugged}, {held}, {emulator.requests} requests"

    return {
        **cable_commands(emulator, stop),
        "brown-out": brown_out,
        "set": set_knobs,
        "clear": clear,
        "faults": faults,
        "state": state,
    }


def _camera_commands(view: TwinView) -> dict[str, Command]:
    def set_world(words: list[str]) -> str:
        view.camera.set_world(changed_world(view.camera.world, words))
        return f"{view.camera.world}"

    return {"set": set_world, "state": lambda _: f"{view.camera.world}"}


def changed_world(world: World, words: Iterable[str]) -> World:
    """A world with the changes that words such as ``illuminance_lx=50`` name.

    Raises:
        ValueError: A key is unknown, or a value impossible.
    """
    for word in words:
        key, _, value = word.partition("=")
        if key == "scene":
            world = replace(world, scene=value)
        elif key == "distances_m":
            each = filter(None, value.split(","))
            world = replace(world, distances_m=tuple(_number(key, metres) for metres in each))
        elif key in ("illuminance_lx", "temperature_c", "lamp_hz", "lamp_depth"):
            number: dict[str, Any] = {key: _number(key, value)}
            world = replace(world, **number)
        else:
            raise ValueError(f"{key!r} can't be set")
    return world


def _knobs(words: list[str]) -> dict[str, float]:
    known = [field.name for field in fields(LineFaults)]
    pairs = [word.partition("=") for word in words]
    if unknown := [key for key, _, _ in pairs if key not in known]:
        raise ValueError(f"there is no knob {unknown[0]!r}")
    return {key: _number(key, value) for key, _, value in pairs}


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{name} takes a number, not {text!r}") from None


def _byte(words: list[str]) -> int:
    try:
        bits = int(words[0], 0)
    except (ValueError, IndexError):
        bits = -1
    if not 0 <= bits <= 0xFF:
        raise ValueError("faults takes the bits of one byte, such as 0b101 or 5")
    return bits
