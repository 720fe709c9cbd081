"""The reference of parameters, from the typed models that the nodes declare them from."""

from __future__ import annotations

from pathlib import Path

from dasha_ros.config import NODES, NodeConfig, bounds_of, is_fixed, is_for_good, unit_of
from dasha_ros.config.ros_value import plain_text

INTRODUCTION = """\
# Parameters

Every parameter of every node, generated from the models in `dasha_ros/config`. `dasha config` prints the same
as a parameter file; [Configure the graph](../how-to/configure-the-graph.md) says how to set them.

The column *changes* says when a new value is accepted:

- **any time**: while the node runs;
- **unconfigured**: the device or the network depends on it, so deactivate and clean up the node first;
- **at start**: when the process starts, and never again.
"""
HEAD = "| parameter | default | unit | allowed | changes | meaning |\n|---|---|---|---|---|---|\n"


def page(root: Path) -> str:
    """The page's Markdown: one table for each node."""
    return "\n".join([INTRODUCTION, *(_section(name, model) for name, model in NODES.items())])


def _section(name: str, model: type[NodeConfig]) -> str:
    about = (model.__doc__ or "").splitlines()[0]
    return f"## {name}\n\n{about}\n\n{HEAD}" + "".join(_row(model, key) for key in model.model_fields)


def _row(model: type[NodeConfig], key: str) -> str:
    changes = (
        "at start" if is_for_good(model, key) else "unconfigured" if is_fixed(model, key) else "any time"
    )
    default = plain_text(getattr(model(), key))
    cells = (
        f"`{key}`", f"`{default}`", unit_of(model, key), bounds_of(model, key), changes,
        model.model_fields[key].description or "",
    )  # fmt: skip
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |\n"
