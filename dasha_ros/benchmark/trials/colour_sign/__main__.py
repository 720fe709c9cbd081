"""``python -m dasha_ros.benchmark.trials.colour_sign``: do pictures carry the sign of defocus in colour?

A lens whose red and blue focus at different distances shows red sharper on one side of the focus, and blue on
the other. Compares patches of real focal stacks that are equally blurred on both sides (`patches`, `study`),
or judges pictures of the twin (`twin`).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from dasha_ros.benchmark.rows import Row
from dasha_ros.benchmark.table import markdown
from dasha_ros.benchmark.trials.colour_sign.patches import Patches, read_patches
from dasha_ros.benchmark.trials.colour_sign.study import LEAST_PATCHES, study, tables
from dasha_ros.benchmark.trials.colour_sign.twin import in_the_twin
from dasha_ros.devices.stack.description import StackError
from dasha_ros.files.errors import shown
from dasha_ros.files.writing import write_whole
from dasha_ros.learning.dataset.cache.percept_cache import PerceptCache
from dasha_ros.learning.dataset.cache.places import found_cache
from dasha_ros.learning.dataset.cache.store import CacheError
from dasha_ros.learning.evaluation.stacks import reason, stacks_in


def on_stacks(folder: Path) -> tuple[list[Row], dict[str, str]]:
    """Rows of `study`, and the stacks that can't be used, with the reasons.

    Raises:
        StackError: No stack can be used.
    """
    stacks, skipped = stacks_in(folder)
    found: list[Patches] = []
    for number, stack in enumerate(stacks, start=1):
        print(f"{shown(stack.name)} ({number} of {len(stacks)})", file=sys.stderr)
        try:
            found.append(read_patches(stack))
        except StackError as error:
            skipped[stack.name] = reason(error, stack.folder)
    rows = study(found)
    judged = {row["stack"] for row in rows}
    few = f"fewer than {LEAST_PATCHES} patches have texture and are sharpest well inside the stack"
    skipped |= {patches.stack: few for patches in found if patches.stack not in judged}
    if not rows:
        reasons = "; ".join(f"{shown(name)}: {why}" for name, why in skipped.items())
        raise StackError(f"no stack in {shown(folder)} can be used; {reasons}")
    return rows, skipped


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print the tables, and write what was asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m dasha_ros.benchmark.trials.colour_sign", description=(__doc__ or "").splitlines()[0]
    )
    given_by = parser.add_mutually_exclusive_group(required=True)
    given_by.add_argument("--stacks", type=Path, help="focal stack, or folder of stacks")
    given_by.add_argument("--cache", type=Path, help="percept cache with colours, of the twin's pictures")
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    parser.add_argument("--markdown", type=Path, help="write the tables to this file")
    given = parser.parse_args(arguments)
    try:
        if given.cache is not None:
            rows = in_the_twin(PerceptCache.open(found_cache(given.cache), verify=False))
            text = markdown(rows)
        else:
            rows, skipped = on_stacks(given.stacks)
            text = tables(rows)
            if skipped:
                text += "\nNot used:\n\n"
                text += "".join(f"- {shown(name)}: {why}\n" for name, why in skipped.items())
        print(text)
        if given.json is not None:
            write_whole(given.json, "[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n")
        if given.markdown is not None:
            write_whole(given.markdown, text)
    except (ValueError, CacheError) as error:
        # All other errors about names, files and values derive from ValueError.
        sys.exit(str(error))
    except OSError as error:
        sys.exit(f"the result can't be written: {error}")


if __name__ == "__main__":
    main()
