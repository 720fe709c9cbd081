"""Floor 9. The ROS nodes: they translate between messages and the rooms below."""

import sys as _sys
import threading as _threading
from pathlib import Path as _Path

from dasha_ros.system.signals import end_quietly as _end_quietly


def _is_a_node_that_starts() -> bool:
    program = _Path(_sys.argv[0]) if getattr(_sys, "argv", None) else _Path()
    # Python calls a module that it will run "-m" until it has found it. Installed nodes have a script each.
    is_script = (
        program.parent.name == "dasha_ros" and _Path(__file__).with_name(f"{program.name}.py").exists()
    )
    return str(program) == "-m" or is_script


if _threading.current_thread() is _threading.main_thread() and _is_a_node_that_starts():
    _end_quietly()
