"""Floor 6. The ROS nodes: they translate between messages and the rooms below."""

import sys as _sys
from pathlib import Path as _Path

from dasha_ros.system.signals import end_quietly as _end_quietly

_NAME = _Path(_sys.argv[0]).name if getattr(_sys, "argv", None) else ""
# Python calls a module that it will run "-m" until it has found it. Installed nodes have a script each.
if _NAME == "-m" or (_NAME and _Path(__file__).with_name(f"{_NAME}.py").exists()):
    _end_quietly()
