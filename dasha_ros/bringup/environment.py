"""What a graph takes from the user's environment, and what it adds: ROS domain, middleware, folders.

Nothing here imports ROS: `dasha doctor` must run where an installation is incomplete.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping, MutableMapping
from pathlib import Path

from dasha_ros.system.folders import warn
from dasha_ros.system.paths import config_dir

HIGHEST_DOMAIN = 232
"""The number of a domain determines its ports; higher numbers would need ports that do not exist."""
SAFE_DOMAIN = 101
"""The ports of higher domains are among those that Linux gives to other programs."""
_MIDDLEWARE, _FAST_DDS = "RMW_IMPLEMENTATION", "rmw_fastrtps_cpp"
_PROFILES = {"camera_driver": "fastdds.xml", "perception": "fastdds_frames.xml"}
"""Profiles of the nodes that publish or receive frames through shared memory; the others share one."""
_SMALL_SEGMENT = 800_000
"""Shared memory of a process that publishes no frames [bytes]; measured, ports included."""


def domain_trouble(environ: Mapping[str, str] = os.environ) -> str:
    """What is wrong with ``ROS_DOMAIN_ID``, as a sentence; empty if it is valid."""
    text = environ.get("ROS_DOMAIN_ID", "")
    if not text or (re.fullmatch(r"[0-9]{1,3}", text) and int(text) <= HIGHEST_DOMAIN):
        return ""
    return (
        f"ROS_DOMAIN_ID is {text!r}: set it to a number from 0 to {HIGHEST_DOMAIN} "
        f"(0 to {SAFE_DOMAIN} is safe: beyond, other programs may have its ports), or unset it"
    )


def runtime_dir(namespace: str, environ: Mapping[str, str] = os.environ) -> Path:
    """The folder of a graph's lock and emulated devices; one per user, ROS domain and namespace."""
    base = environ.get("XDG_RUNTIME_DIR", "")
    if not os.access(base, os.W_OK):  # in a container or after su it may be missing, or another user's
        base = f"{tempfile.gettempdir()}/dasha-{os.getuid()}"
    domain = environ.get("ROS_DOMAIN_ID") or "0"
    return Path(base) / "dasha_ros" / f"domain{domain}{namespace.replace('/', '-')}"


def environment(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The variables that `dasha up`, and every command that talks to a graph, adds.

    They choose Fast DDS, and discovery on this machine only. Variables that the user has set stay. The
    launch file adds none of them: there, middleware and discovery are the user's choice.
    """
    wanted = {_MIDDLEWARE: _FAST_DDS, "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}
    return {name: value for name, value in wanted.items() if not environ.get(name)}


def settle_middleware(environ: MutableMapping[str, str] = os.environ) -> None:
    """Use Fast DDS, with a warning, where the middleware that the user has set is not installed.

    Without it, rcl ends the process as soon as it is loaded. Call this before ROS is imported.
    """
    chosen = environ.get(_MIDDLEWARE, "")
    # ROS itself finds middleware in this index of every prefix.
    index = Path("share", "ament_index", "resource_index", "rmw_typesupport")
    installed = {path.name for prefix in _prefixes(environ) for path in (prefix / index).glob("*")}
    if chosen and chosen not in installed and _FAST_DDS in installed:
        environ[_MIDDLEWARE] = _FAST_DDS
        warn(
            f"{_MIDDLEWARE} is {chosen!r}, which is not installed here: using {_FAST_DDS} instead; "
            "install the other one, or unset the variable"
        )


def profile_of(name: str, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The variables that select a Fast DDS profile for a node's process, unless the user has selected one.

    The shared-memory segment for frames belongs to their publisher, so a graph fits into the 64 MB of
    shared memory that a container usually has.

    Args:
        name: Name of the node.
        environ: The user's environment.
    """
    return _selected(_PROFILES.get(name, "fastdds_node.xml"), environ)


@contextlib.contextmanager
def command_profile() -> Iterator[None]:
    """Select the Fast DDS profile of a command while it joins the graph, unless the user has selected one.

    What the middleware logs then goes to stderr, so that ``dasha echo`` prints nothing but messages. What the
    command starts afterwards does not inherit the profile.
    """
    chosen = _selected("fastdds_command.xml", os.environ)
    os.environ.update(chosen)
    try:
        yield
    finally:
        for name in chosen:
            os.environ.pop(name, None)


def _selected(profile: str, environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that select a profile; none if the user has set one."""
    names = ["FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE"]  # Fast DDS 2 and 3
    if any(environ.get(variable) for variable in names):
        return {}
    # The packages of wheels lie beside Python, and a user's program may not have them in its environment yet.
    if any((prefix / "share" / "fastdds").is_dir() for prefix in (*_prefixes(environ), Path(sys.prefix))):
        names = names[1:]  # Fast DDS 3 warns about the old name, once per process.
    return dict.fromkeys(names, str(config_dir() / profile))


def _prefixes(environ: Mapping[str, str]) -> list[Path]:
    """Where ROS packages are installed."""
    return [Path(prefix) for prefix in environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep) if prefix]


def shared_memory_needed(processes: int) -> int:
    """Shared memory that a graph needs [bytes]: one segment for frames, and a small one for each process."""
    text = (config_dir() / "fastdds.xml").read_text(encoding="utf-8")
    found = re.search(r"<segment_size>(\d+)</segment_size>", text)
    assert found is not None, "fastdds.xml names no segment_size"
    return int(found.group(1)) + processes * _SMALL_SEGMENT
