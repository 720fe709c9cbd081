"""What policy files are called in tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from dasha_ros.benchmark.methods import learned_file
from dasha_ros.policies.learned.policy_file import Agent, PolicyFile


def own_titles(names: Sequence[str], agent: Agent) -> dict[str, str]:
    """What files of policies are called in tables, of those that need a title of their own.

    Runs of one preset have one title and are summed up: they differ in seed or split. But a file beside the
    policy that ships, or beside another one of its seed and split, is somebody's question which is better.

    Raises:
        PolicyFileError: A learned policy can't be read.
    """
    infos = {name: PolicyFile.load(path, agent).info for name in names if (path := learned_file(name, agent))}
    runs = {
        name: (info.preset, info.made.get("seed"), info.made.get("split")) for name, info in infos.items()
    }
    shipped = {runs[name][0] for name in infos if not name.endswith(".npz")}
    counts = Counter(runs.values())
    return {
        name: f"{run[0]} ({name})"
        for name, run in runs.items()
        if name.endswith(".npz") and (run[0] in shipped or counts[run] > 1)
    }
