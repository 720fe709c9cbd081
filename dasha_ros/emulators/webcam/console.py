"""Runs the emulated webcam as a program that obeys lines of text, for ``dasha emulate webcam``."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable
from dataclasses import fields

from dasha_ros.emulators.console import Command, Say, cable_commands, changed_world, obey
from dasha_ros.emulators.webcam.controls import BY_NAME, WebcamKnobs
from dasha_ros.emulators.webcam.device import WebcamEmulator
from dasha_ros.emulators.webcam.pictures import TwinPainter

HELP = (
    "unplug [SECONDS], plug, set KNOB=VALUE ..., refuse CONTROL ..., accept, world KEY=VALUE ..., state, "
    "help; knobs: exposure_lag focus_lag focus_time_constant_s focus_play; controls: " + " ".join(BY_NAME)
)
_KINDS = {field.name: int if field.type == "int" else float for field in fields(WebcamKnobs)}


def run_webcam(
    emulator: WebcamEmulator,
    painter: TwinPainter,
    lines: Iterable[str],
    say: Say = print,
    stop: threading.Event | None = None,
) -> None:
    """Plug an emulated webcam in and obey ``lines``, then wait for ``stop``.

    Args:
        emulator: The webcam.
        painter: Paints its pictures.
        lines: Commands (see `HELP`), usually standard input.
        say: Gets every answer.
        stop: Ends the emulator; without it, the last line does.

    Raises:
        KernelError: The kernel does not take it.
    """
    with emulator:
        say("webcam plugged in")
        obey(lines, _commands(emulator, painter, stop or threading.Event()), HELP, say, stop)


def _commands(emulator: WebcamEmulator, painter: TwinPainter, stop: threading.Event) -> dict[str, Command]:
    def set_knobs(words: list[str]) -> str:
        for word in words:
            name, _, value = word.partition("=")
            if name not in _KINDS or name == "refuse":
                raise ValueError(f"{name!r} is no knob")
            try:
                number = _KINDS[name](value)
            except ValueError:
                kind = "whole number" if _KINDS[name] is int else "number"
                raise ValueError(f"{name} takes a {kind}, not {value!r}") from None
            if not 0 <= number < math.inf:
                raise ValueError(f"{name} is {number}; it must not be negative, or without end")
            setattr(emulator.knobs, name, number)
        return "set " + " ".join(words)

    def refuse(words: list[str]) -> str:
        if unknown := [word for word in words if word not in BY_NAME]:
            raise ValueError(f"{unknown[0]!r} is no control")
        emulator.knobs.refuse.update(words)
        return "refuses " + " ".join(sorted(emulator.knobs.refuse))

    def accept(_: list[str]) -> str:
        emulator.knobs.refuse.clear()
        return "refuses nothing"

    def world(words: list[str]) -> str:
        painter.set_world(changed_world(painter.world, words))
        return f"{painter.world}"

    def state(_: list[str]) -> str:
        states = emulator.states
        if states is None:
            return "unplugged"
        values = " ".join(f"{control.name}={states.get(control.name)}" for control in states.controls)
        return f"plugged in, {values}, {emulator.frames} frames"

    return {
        **cable_commands(emulator, stop),
        "set": set_knobs,
        "refuse": refuse,
        "accept": accept,
        "world": world,
        "state": state,
    }
