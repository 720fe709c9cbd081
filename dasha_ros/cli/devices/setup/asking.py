"""Asks a person, or answers by itself with ``--yes``. On a pipe nobody is asked."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from enum import Enum
from typing import TYPE_CHECKING

from dasha_ros.cli.terminal.console import Exit, err, fail
from dasha_ros.cli.terminal.prompt import prompt

if TYPE_CHECKING:
    from dasha_ros.cli.devices.setup.found import Choice


class Answer(Enum):
    """What to do with a step."""

    DO = "do it"
    SKIP = "skip it"
    STOP = "stop here"


_ANSWERS = {"": Answer.DO, "y": Answer.DO, "s": Answer.SKIP, "q": Answer.STOP}


class Asking:
    """Asks on a terminal; with ``--yes`` takes what a person would get by pressing Enter."""

    def __init__(self, *, yes: bool) -> None:
        """Find out whether a person is there."""
        self.yes = yes
        if not yes and not sys.stdin.isatty():
            fail(
                "standard input is no terminal, so nobody can be asked: add --yes to do every step, and "
                "--camera and --lens to choose",
                Exit.REFUSED,
            )

    def step(self) -> Answer:
        """Whether to do a step that was described."""
        if self.yes:
            return Answer.DO
        while True:
            text = prompt("Enter: do it, s: skip it, q: stop here")
            if text.lower() in _ANSWERS:
                return _ANSWERS[text.lower()]

    def one_of(self, choices: Sequence[Choice], option: str) -> Choice:
        """One of several devices; the only one is not asked for."""
        if not choices:
            fail(f"none was found: name one with {option}", Exit.REFUSED)
        if len(choices) == 1:
            return choices[0]
        if self.yes:
            names = "; ".join(f"{option} {choice.name} ({choice.what})" for choice in choices)
            fail(f"there are several, and nobody is asked: {names}", Exit.REFUSED)
        for number, choice in enumerate(choices, 1):
            err().print(f"  {number}  {choice.what}")
        while True:
            text = prompt(f"which one, 1 to {len(choices)}") or "1"
            if text.isdigit() and 1 <= int(text) <= len(choices):
                return choices[int(text) - 1]
