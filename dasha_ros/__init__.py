"""A camera that exposes and focuses itself until it sees what a robot asked for.

The interfaces that ROS generates (`dasha_ros.msg`, `dasha_ros.action`) live in
the installed half of this package. Extending the path lets a run from a source
checkout see both halves.
"""

from pkgutil import extend_path as _extend_path

__path__ = _extend_path(__path__, __name__)

__version__ = "0.2.0"
