"""A part of the comparison with the paper: something that is measured, drawn and told.

To add one, write a module below ``dasha_ros/benchmark/paper/parts/`` (or a folder with an ``__init__.py`` if
it needs several files) that has a `Part` named ``PART``. `registry.parts` finds it there; no list has to be
changed. The command, the files ``NAME.json`` and ``NAME.csv``, the figures as SVG and PNG, the page, and the
list of what is missing follow from it. The rules:

- ``compute`` measures. It keeps every episode in `Context.journal`, so that a killed run goes on, and obeys
  `Context.quick`. What it returns must be writable as JSON.
- ``compute`` raises `PartMissingError` if something it needs is not on this machine. The message says what,
  and which command makes it. All other parts go on.
- ``draw`` and ``text`` read nothing but that data, as it comes back from JSON, so that a page can be written
  anew without measuring. Files with pictures may lie in the folder, with the name of the part in front.
- ``claims`` compares the numbers with what the paper says, and admits it where they differ.
- Lines differ in colour, marker and dash (`drawing.LOOKS`), and axes have units.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from dasha_ros.benchmark.rows import Row
from dasha_ros.benchmark.trials.journal import Journal

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DETECTORS = ("yolov3_tiny", "nanodet", "centernet")
"""Those that need no PyTorch."""
Data: TypeAlias = Mapping[str, Any]
"""What a part measured; can be written as JSON."""


class PartMissingError(ValueError):
    """What a part needs is not on this machine; the message says what to do."""


@dataclass(frozen=True)
class Context:
    """What the parts of a run have in common."""

    folder: Path
    """Folder of the results; exists."""
    quick: bool = False
    """Whether all parts together may take five minutes on two cores, instead of two hours."""
    seed: int = 0
    """Seed of starts and of noise."""
    detectors: tuple[str, ...] = DETECTORS
    cache: Path | None = None
    """Percept cache with photographs that the policies were not trained on."""
    stacks: Path | None = None
    """Folder of real focal stacks."""
    steps: int | None = None
    """Steps of every training; ``None``: as many as each method's preset says, or quick ones."""
    progress: Callable[[int, int, str], None] = lambda done, total, what: None
    """Told how many are done, of how many, and of what: ``"NAME: detail"``."""
    note: Callable[[str], None] = lambda sentence: None
    """Told what a user should know at once, such as how much came from an earlier run."""

    def journal(self, name: str) -> Journal:
        """The rows of a part's episodes, ``NAME.jsonl``; a context manager.

        Raises:
            JournalError: The file is no journal, or can't be written.
        """
        return Journal(self.folder / f"{name}.jsonl")

    def came_from(self, journal: Journal, name: str) -> None:
        """Tell how many episodes were not played, because an earlier run left their rows."""
        if journal.resumed:
            file = self.folder / f"{name}.jsonl"
            self.note(f"{journal.resumed} of {len(journal.played)} episodes came from {file}")


@dataclass(frozen=True)
class Drawing:
    """A figure of a part."""

    name: str
    """Name of its files, without ending; begins with the name of the part."""
    figure: Figure
    caption: str
    """Plain text: what is to be seen."""


@dataclass(frozen=True)
class Claim:
    """A claim of the paper, and what came of it here."""

    where: str
    """Section, table or figure."""
    says: str
    """The paper's claim, in short."""
    found: str
    """What was measured, with numbers."""
    holds: bool | None
    """Whether it was reproduced; ``None``: the numbers can't be compared."""


@dataclass(frozen=True)
class Part:
    """One part of the comparison; see the module for how to add one."""

    name: str
    """Names files and ``--part``; letters, digits and underscores."""
    title: str
    """Heading on the page."""
    place: int
    """Where it stands on the page: 10 for Table 1, 30 for Figure 3, .. 90 for Figure 9; what the paper does
    not have comes from 100 on."""
    shows: tuple[str, ...]
    """What of the paper it shows, as in `registry.PAPER`."""
    compute: Callable[[Context], Data]
    """Measures; may raise `PartMissingError`."""
    rows: Callable[[Data], Sequence[Row]]
    """The numbers for ``NAME.csv``; the same keys in all rows."""
    draw: Callable[[Data, Path], Sequence[Drawing]]
    """Its figures, from the data and the folder of the results."""
    text: Callable[[Data], str]
    """HTML before the figures: what was done, and how to read it."""
    after: Callable[[Data], str] = lambda data: ""
    """HTML after the figures, such as tables (`html.table`)."""
    claims: Callable[[Data], Sequence[Claim]] = lambda data: ()
    """What the data says of the paper's claims; the part `honesty` collects them."""
