"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_GRAPH = "Graph"

Namespace = Annotated[str, typer.Option("--namespace", "-n", help="Namespace of the nodes, one per camera.")]
Rig = Annotated[
    str,
    typer.Option(
        help="Devices: twin; emulated, emulated-optotune (real drivers, emulated devices); stack, replay "
        "(recorded); hardware; webcam; ros-driver. Default: those of the parameter file, else twin.",
        rich_help_panel=_GRAPH,
    ),
]
ParamsFile = Annotated[
    Path | None,
    typer.Option(help="ROS parameter file; `dasha config` prints one to start from.", rich_help_panel=_GRAPH),
]
Override = Annotated[
    list[str] | None,
    typer.Option("--set", "-s", help="NODE.PARAMETER=VALUE; repeatable.", rich_help_panel=_GRAPH),
]
Scene = Annotated[
    str | None,
    typer.Option(help="Twin: name of a shipped scene or path of a YAML file.", rich_help_panel=_GRAPH),
]
Speed = Annotated[
    float | None, typer.Option(help="Twin: speed of its clock relative to real time.", rich_help_panel=_GRAPH)
]
Encoder = Annotated[
    str | None, typer.Option(help="Network that makes the latent vector.", rich_help_panel=_GRAPH)
]
Detector = Annotated[str | None, typer.Option(help="Network that finds objects.", rich_help_panel=_GRAPH)]
ExposurePolicy = Annotated[
    str | None, typer.Option(help="Policy of the exposure agent.", rich_help_panel=_GRAPH)
]
FocusPolicy = Annotated[str | None, typer.Option(help="Policy of the focus agent.", rich_help_panel=_GRAPH)]
Learn = Annotated[
    bool,
    typer.Option(
        "--learn", help="Both agents learn from goals that a trainer sends.", rich_help_panel=_GRAPH
    ),
]
LogLevel = Annotated[str, typer.Option(help="debug, info, warn, error or fatal.", rich_help_panel=_GRAPH)]
LogDir = Annotated[
    Path | None, typer.Option(help="Folder for log files, one per node.", rich_help_panel=_GRAPH)
]
