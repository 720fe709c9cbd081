"""``dasha benchmark paper``: the results of the paper and ours side by side, on one page."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from dasha_ros.cli.evaluation import shared
from dasha_ros.cli.terminal.console import Exit, err, fail, interrupted, out

if TYPE_CHECKING:
    from dasha_ros.benchmark.paper.part import Context


def paper(
    *,
    folder: Annotated[Path, typer.Option("--out", help="Folder of the results; made if it is not there.")],
    quick: Annotated[bool, typer.Option("--quick", help="Fewer of everything: minutes.")] = False,
    part: Annotated[
        list[str] | None,
        typer.Option(help="Compute this part alone; the page shows the others as they are. Repeatable."),
    ] = None,
    detector: Annotated[
        list[str] | None,
        typer.Option(help="Repeatable; default: yolov3_tiny, nanodet, centernet."),
    ] = None,
    cache: Annotated[
        Path | None, typer.Option(help="Percept cache, for parts that play on its test photographs.")
    ] = None,
    stacks: Annotated[Path | None, typer.Option(help="Folder of real focal stacks.")] = None,
    steps: Annotated[
        int | None, typer.Option(min=1, help="Steps of every training; default: what its preset says.")
    ] = None,
    seed: shared.Seed = 0,
) -> None:
    """Measure what the paper's table and figures show, and write data, figures and one page.

    The same command goes on where it was interrupted. What is missing is listed on the page.
    """
    from dasha_ros.benchmark.paper import registry
    from dasha_ros.benchmark.paper.part import DETECTORS, Context
    from dasha_ros.benchmark.paper.report import write_report
    from dasha_ros.benchmark.paper.run import run_part

    with shared.errors_explained():
        parts = registry.chosen(part)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            fail(f"{folder} can't be made: {error.strerror}", Exit.REFUSED)
        done: list[bool] = []
        for each in parts:
            try:
                with shared.progress() as show:
                    context = Context(
                        folder, quick, seed, tuple(detector or DETECTORS), cache, stacks, steps, show, _note
                    )
                    done.append(run_part(each, context, _made(context, part)))
            except KeyboardInterrupt as reason:
                _note(f"stopped in the part {each.name}; the same command goes on")
                raise typer.Exit(interrupted(reason)) from None
        if not any(done):
            fail("there is nothing to show: no part could be computed", Exit.REFUSED)
        out().print(str(write_report(folder, registry.parts())))


def _note(sentence: str) -> None:
    err().print(sentence, style="yellow")


def _made(context: Context, parts: Sequence[str] | None) -> dict[str, str]:
    import numpy
    import onnxruntime

    from dasha_ros import __version__
    from dasha_ros.assets.catalogue import sha256_of
    from dasha_ros.benchmark.paper.part import DETECTORS
    from dasha_ros.policies.learned.policy_file import Agent, shipped_policy

    words = ["dasha benchmark paper --out DIR", *(["--quick"] if context.quick else [])]
    words += [f"--part {name}" for name in parts or ()]
    if context.detectors != DETECTORS:
        words += [f"--detector {name}" for name in context.detectors]
    # Names, not paths: the numbers are the same in every folder.
    words += [f"--cache {context.cache.name}"] if context.cache is not None else []
    words += [f"--stacks {context.stacks.name}"] if context.stacks is not None else []
    words += [f"--steps {context.steps}"] if context.steps is not None else []
    return {
        "command": " ".join([*words, f"--seed {context.seed}"]),
        "dasha_ros": __version__,
        "python": sys.version.split()[0],
        "numpy": numpy.__version__,
        "onnxruntime": str(onnxruntime.__version__),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors",
        "policies": ", ".join(
            f"{name}_{agent} {sha256_of(shipped_policy(name, agent))[:8]}"
            for name in ("plus", "paper")
            for agent in get_args(Agent)
        ),
    }
