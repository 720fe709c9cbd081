"""``ros2 launch dasha_ros dasha.launch.py``: the graph of `dasha_ros.bringup.graph` as launch actions."""

import os
import shlex
import site
import sys
import sysconfig
from tempfile import NamedTemporaryFile

from launch.actions import DeclareLaunchArgument, LogInfo, OpaqueFunction, Shutdown
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import LifecycleNode


def find_active_environment():
    """Find the packages of the active virtual environment, before the system's older ones.

    The first line of Ubuntu's ``ros2`` names the system's Python, whatever is active. Nodes obey ``PATH``.
    The environment's ``.pth`` files, as of editable installs, are not read.
    """
    active = os.environ.get("VIRTUAL_ENV", "")
    packages = sysconfig.get_path("purelib", "posix_prefix", {"base": active})
    is_of_system = sys.prefix == sys.base_prefix
    if active and is_of_system and packages not in sys.path and os.path.isdir(packages):
        others = {*site.getsitepackages(), site.getusersitepackages()}
        before = (place for place, folder in enumerate(sys.path) if folder in others)
        sys.path.insert(next(before, len(sys.path)), packages)


find_active_environment()

from dasha_ros.bringup import graph as bringup  # noqa: E402
from dasha_ros.bringup.refusals import check_startable  # noqa: E402
from dasha_ros.bringup.rigs import RIGS  # noqa: E402
from dasha_ros.config import ConfigError  # noqa: E402
from dasha_ros.system import shutdown_limits  # noqa: E402
from launch import LaunchDescription  # noqa: E402

ARGUMENTS = {
    "namespace": (
        "dasha",
        "Namespace of all nodes, one per camera; below the one of PushRosNamespace, unless it begins with /.",
    ),
    "rig": ("", f"Devices: {', '.join(RIGS)}; empty: those of the parameter file, else the twin."),
    "params_file": ("", "ROS parameter file; `dasha config` prints one to start from."),
    "scene": ("", "Twin: name of a shipped scene or path of a YAML file."),
    "speed": ("", "Twin: speed of its clock relative to real time."),
    "encoder": ("", "Network that makes the latent vector."),
    "detector": ("", "Network that finds objects."),
    "exposure_policy": ("", "Policy of the exposure agent."),
    "focus_policy": ("", "Policy of the focus agent."),
    "mode": ("act", "act: the agents use their policies. learn: they learn from a trainer's goals."),
    "autostart": ("true", "false: a lifecycle manager configures and activates the nodes."),
    "log_level": ("info", ", ".join(bringup.LOG_LEVELS) + "."),
    "overrides": ("", "Space-separated, quoted as in a shell: NODE.PARAMETER=VALUE."),
}


def parameter_files(process):
    """The file with a node's parameters, if it has any.

    Of values, launch_ros writes such a file itself, but leaves words such as 08, 12e3 and y without quotes:
    ROS would read numbers and true. Its file stays in the temporary folder, too, because nodes start anew.
    """
    if not process.parameters:
        return []
    with NamedTemporaryFile("w", prefix="dasha_params_", suffix=".yaml", delete=False) as file:
        file.write(process.parameter_file)
    return [file.name]


def end_if_misconfigured(event, context):
    """Shut down: a node with a wrong configuration would fail again after every restart."""
    if event.returncode != ConfigError.EXIT_CODE or context.is_shutdown:
        return None
    return [Shutdown(reason=f"{event.process_name} has a configuration error; its last line says which")]


def namespace_below(pushed, given):
    """The full namespace. Nodes get it whole, because files and sockets of a graph are named after it."""
    return given if given.startswith("/") else f"{pushed.rstrip('/')}/{given}"


def start(context):
    given = {name: LaunchConfiguration(name).perform(context) for name in ARGUMENTS}
    options = {name: value for name, value in given.items() if value}
    pushed = context.launch_configurations.get("ros_namespace", "")
    options["namespace"] = namespace_below(pushed, given["namespace"])
    if options["autostart"] not in ("true", "false"):
        raise ValueError(f"autostart:={options['autostart']} is neither true nor false")
    options["autostart"] = options["autostart"] == "true"
    if "speed" in options:
        options["speed"] = float(options["speed"])
    mode = options.pop("mode")
    if mode not in ("act", "learn"):
        raise ValueError(f"mode:={mode} is neither act nor learn")
    options["learn"] = mode == "learn"
    if "overrides" in options:
        options["overrides"] = tuple(shlex.split(options["overrides"]))
    graph = bringup.describe(bringup.Options(**options))
    check_startable(graph)
    warnings = [LogInfo(msg=f"warning: {sentence}") for sentence in graph.warnings]
    return warnings + [
        LifecycleNode(
            package=bringup.PACKAGE,
            executable=process.executable,
            name=process.name,
            namespace=process.namespace,
            parameters=parameter_files(process),
            remappings=list(process.remappings),
            ros_arguments=list(process.ros_arguments),
            additional_env=dict(process.environment),
            respawn=process.respawn,
            respawn_delay=bringup.RESPAWN_DELAY_S,
            sigterm_timeout=str(shutdown_limits.LAUNCH_SIGTERM_S),
            sigkill_timeout=str(shutdown_limits.LAUNCH_SIGKILL_S),
            on_exit=end_if_misconfigured,
            output="screen",
        )
        for process in graph.processes
    ]


def generate_launch_description():
    return LaunchDescription(
        [
            *(
                DeclareLaunchArgument(name, default_value=default, description=description)
                for name, (default, description) in ARGUMENTS.items()
            ),
            OpaqueFunction(function=start),
        ]
    )
