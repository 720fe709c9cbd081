"""``python -m dasha_ros.benchmark.model_card``: the model card of a learned policy.

Every number comes from a file: from the folder of the run that trained the policy
(`learning.training.run_folder`), or from rows that ``dasha evaluate --json`` or ``dasha benchmark exposure
--json`` wrote. The card is Markdown, its learning curve an SVG.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dasha_ros.benchmark import evaluation, exposure
from dasha_ros.benchmark.curve import draw_curve
from dasha_ros.benchmark.rows import Row, summary
from dasha_ros.benchmark.table import SHARES, markdown
from dasha_ros.files.documents import parse_json, read_json, read_text
from dasha_ros.files.errors import FileError
from dasha_ros.learning.evaluation.settings import EXPOSURE_SETTING
from dasha_ros.learning.training.run_folder import RunFolder, RunInfo, TrainingError
from dasha_ros.policies.learned.policy_content import LATENT
from dasha_ros.policies.learned.policy_file import PolicyFile, PolicyFileError, PolicyInfo

CURVES = Path("docs/results/curves")
"""Where learning curves go, from the root of the repository."""
COLUMNS = {
    "focus": (
        "within_2px", "within_1px", "detected", "success", "moves_first", "moves_settled", "frames",
        "hunting", "actuations", "wall_seconds", "af_steps",
    ),
    "exposure": ("well_exposed", "success", "good_peak", "steps", "max_steps", "wall_seconds"),
}  # fmt: skip
"""What is shown of the rows of each agent."""
NEEDED = frozenset({"setting", "policy", "policy_seed", "split", "sampled"})
"""Keys that say what a row is about."""
_IDENTITY = ("setting", "arena", "actions")


class ModelCardError(ValueError):
    """A card that can't be made; the message says why and what to do."""


def read_rows(paths: Sequence[Path]) -> list[Row]:
    """The rows of some files, one after the other.

    Raises:
        ModelCardError: A file can't be read, or holds no rows.
    """
    rows: list[Row] = []
    for path in paths:
        try:
            found = read_json(path)
        except FileError as error:
            raise ModelCardError(f"the rows {error}") from error
        if not isinstance(found, list) or not all(isinstance(r, dict) and r.keys() >= NEEDED for r in found):
            raise ModelCardError(f"{path} holds no rows: give what `dasha evaluate --json` wrote")
        rows += found
    return rows


def model_card(run: RunFolder, rows: Sequence[Row], *, curve: str = "", limits: Sequence[str] = ()) -> str:
    """The card of a run's best policy, as Markdown.

    Args:
        run: That trained it.
        rows: Rows of evaluations; only those of the run's preset and agent are used. Rows with the run's seed
            and split describe this policy, all rows together the spread over seeds and splits.
        curve: Path of the learning curve as the card links it; empty: the card has none.
        limits: Sentences about what the policy can't do.

    Raises:
        ModelCardError: No row is about this policy, or the policy is not of this run.
        TrainingError: The run can't be read.
        PolicyFileError: The policy can't be read.
    """
    info = run.info()
    policy = PolicyFile.load(run.policy, info.agent).info
    if (policy.made.get("seed"), policy.made.get("split")) != (info.seed, info.split):
        raise ModelCardError(
            f"{run.policy} was not trained by the run {run.path}: give the run that trained it"
        )
    ours = [
        row
        for row in rows
        if row["policy"] == policy.preset
        and row["setting"].startswith(EXPOSURE_SETTING) == (info.agent == "exposure")
    ]
    own = [row for row in ours if (row["policy_seed"], row["split"]) == (info.seed, info.split)]
    if not own:
        raise ModelCardError(
            f"no row is about {policy.preset} of {info.agent}, seed {info.seed}, split {info.split}: "
            f"write some with `{_how_to_evaluate(info)} --policy {shlex.quote(str(run.policy))} --sampled "
            "--json ROWS.json`"
        )
    parts = [
        f"# Policy `{policy.preset}` of {info.agent}\n\n{info.preset['description'].strip()}\n",
        _training(info, policy),
        _scenes(info),
        _validation(policy, curve),
        _results(info, own, ours),
        _limits(info, policy, limits),
    ]
    return "\n".join(parts)


def evaluations(run: RunFolder) -> list[dict[str, float]]:
    """A run's evaluations on the validation views, oldest first.

    Raises:
        ModelCardError: There is none, or the file can't be read.
    """
    path = run.path / "evaluations.jsonl"
    try:
        found = [parse_json(line) for line in read_text(path).splitlines()]
    except FileError as error:
        raise ModelCardError(f"the evaluations {error}") from error
    except ValueError as error:
        raise ModelCardError(f"the evaluations {path} can't be read: {error}") from error
    if not found:
        raise ModelCardError(f"{path} is empty: the run has not been evaluated yet")
    return found


def _training(info: RunInfo, policy: PolicyInfo) -> str:
    made_for = {"encoder": policy.encoder, "lens": policy.lens, "exposure table": policy.table}
    named = ", ".join(f"{what} `{value}`" for what, value in made_for.items() if value)
    versions = ", ".join(f"{name} {version}" for name, version in info.versions.items())
    handed = "Its episodes began with what the A^H of the same run left behind.\n" if info.handed_over else ""
    return (
        f"Interface `{policy.extractor}`, {named}.\n{handed}"
        f"Trained with\n\n    {_command(info.command)}\n\n"
        f"from the percept cache `{Path(info.cache).name}` (key `{info.cache_key}`): seed {info.seed}, "
        f"split {info.split}, {info.steps} steps, kept at step {policy.made['validation']['steps']:.0f}, "
        f"the best evaluation on validation views.\n\nVersions: {versions}.\n"
    )


def _command(words: Sequence[str]) -> str:
    """The command as anybody would type it, without folders of this machine."""
    kept: list[str] = []
    for before, word in zip(("", *words), words, strict=False):
        if word == "--out" or before == "--out" or word.startswith("--out="):
            continue
        kept.append(Path(word).name if before == "--cache" else word)
    return shlex.join(kept)


def _scenes(info: RunInfo) -> str:
    kinds = ("plane", "composite")
    lines = [
        {
            "views": part,
            **{f"{kind}s": sum(name.startswith(f"{kind}/") for name in names) for kind in kinds},
            "all": len(names),
        }
        for part, names in info.scenes.items()
    ]
    return (
        f"## Scenes\nScene set `{info.preset['scene_set']}`, {len(info.pictures)} pictures; no photograph is "
        "in two parts. Composites have two depths. The names of all views are in the policy's file.\n\n"
        f"{markdown(lines)}"
    )


def _validation(policy: PolicyInfo, curve: str) -> str:
    kept = policy.made["validation"]
    numbers = markdown([{key: value for key, value in kept.items() if key not in ("steps", "episodes")}])
    picture = f"\n![Validation along training]({curve})\n" if curve else ""
    return (
        f"## Validation\n{kept['episodes']:.0f} episodes; these numbers choose the checkpoint, and "
        f"flatter.\n\n{numbers}{picture}"
    )


def _results(info: RunInfo, own: Sequence[Row], ours: Sequence[Row]) -> str:
    columns = COLUMNS[info.agent]
    keys = evaluation.SPREAD_KEYS if info.agent == "focus" else exposure.SPREAD_KEYS
    mine = markdown([_named(row) for row in own], (*_IDENTITY, "scenes", "episodes", *columns))
    lines = [_named(_with_spread(line, columns)) for line in summary(ours, keys)]
    seeds = sorted({row["policy_seed"] for row in ours})
    splits = sorted({row["split"] for row in ours})
    return (
        f"## Test\nPhotographs of the test part, played as deployed. This policy:\n\n{mine}\n"
        f"The preset, mean +- standard deviation over runs (seeds {_listed(seeds)}; "
        f"splits {_listed(splits)}):\n\n{markdown(lines, (*_IDENTITY, 'runs', 'episodes', *columns))}"
    )


def _named(row: Row) -> Row:
    return {**row, "actions": "drawn" if row["sampled"] else "likeliest"}


def _with_spread(line: Row, columns: Sequence[str]) -> Row:
    """A line of `summary` with its numbers as text: mean, and deviation where there is one."""
    texts: Row = {}
    for key in columns:
        middle, spread = line[key], line[f"{key}_sd"]
        scale, digits = (100.0, 1) if key in SHARES else (1.0, 2)
        if middle is not None and not key.startswith("max_"):
            deviation = f" +- {scale * spread:.{digits}f}" if spread is not None else ""
            texts[key] = f"{scale * middle:.{digits}f}{deviation}{' %' if key in SHARES else ''}"
    return {**line, **texts}


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(str(number) for number in numbers)


def _limits(info: RunInfo, policy: PolicyInfo, sentences: Sequence[str]) -> str:
    world = info.preset[info.agent]["world"]
    drawn = ", ".join(f"`{key}` {_value(value)}" for key, value in world.items())
    any_lens = bool(policy.lens) and policy.extractor != LATENT
    needed = policy.encoder, "" if any_lens else policy.lens, policy.table
    bound = " and ".join(f"`{name}`" for name in needed if name)
    lines = [
        f"Loading it with anything but {bound} is refused.",
        *(["It runs on any lens with a calibrated map; it learned on one."] if any_lens else []),
        f"Nothing beyond what its episodes were drawn from was seen: {drawn}.",
        *sentences,
    ]
    return "## Limits\n" + "".join(f"- {line}\n" for line in lines)


def _value(value: Any) -> str:
    if value is None:
        return "anywhere"
    return f"{value[0]:g} to {value[1]:g}" if isinstance(value, list) else str(value)


def _how_to_evaluate(info: RunInfo) -> str:
    command = "dasha evaluate" if info.agent == "focus" else "dasha benchmark exposure"
    return f"{command} --cache {shlex.quote(Path(info.cache).name)}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Write a card and its learning curve."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("run", type=Path, help="folder that `dasha train` wrote")
    parser.add_argument("--rows", type=Path, action="append", required=True, help="JSON; may be repeated")
    parser.add_argument("--out", type=Path, required=True, help="the card to write (.md)")
    parser.add_argument(
        "--curve", type=Path, help=f"the curve to write (.svg); {CURVES}/NAME.svg if left out"
    )
    parser.add_argument("--limits", action="append", default=[], help="a sentence; may be repeated")
    given = parser.parse_args(arguments)
    curve: Path = given.curve or CURVES / f"{given.out.stem}.svg"
    run = RunFolder(given.run)
    try:
        link = Path(os.path.relpath(curve.absolute(), given.out.absolute().parent)).as_posix()
        text = model_card(run, read_rows(given.rows), curve=link, limits=given.limits)
        kept = PolicyFile.load(run.policy, run.info().agent).info.made["validation"]["steps"]
        draw_curve(evaluations(run), kept, curve)
        given.out.write_text(text, encoding="utf-8")
    except (ModelCardError, TrainingError, PolicyFileError) as error:
        sys.exit(str(error))
    except OSError as error:
        sys.exit(f"the card can't be written: {error}")
    print(f"wrote {given.out} and {curve}")


if __name__ == "__main__":
    main()
