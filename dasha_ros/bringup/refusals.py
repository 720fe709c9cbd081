"""Refuses a graph before any process starts, where a node would refuse its configuration seconds later.

That concerns what parameters name: networks, policies, presets, scenes, lens profiles, drivers and their
files. Each check calls what the node calls, so the sentences are the node's. What only a loaded network or an
open device knows is left to the node, and so is a class of somebody's own (``package.module:Class``): it may
take seconds to import, and the node may find it where this process doesn't.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from dasha_ros.bringup.graph import Graph, Process
from dasha_ros.config import NODES, ConfigError

if TYPE_CHECKING:
    from dasha_ros.policies.learned.policy_file import Agent


def check_startable(graph: Graph) -> None:
    """Refuse a graph with a node that could not configure itself.

    Nodes that wait for a lifecycle manager are not judged, because it may still set their parameters.

    Raises:
        ConfigError: The message names the node, then says what the node would say.
    """
    for process in graph.processes:
        config = _config(process)
        if config is None or not config.autostart:
            continue
        try:
            _CHECKS[process.name](config)
        except ImportError:
            # Under ros2 launch, nodes may run with another Python, which has more packages.
            continue
        except Exception as error:  # As in a node: whatever a part raises is why it can't be configured.
            raise ConfigError(f"{process.name}: {error}") from error


def _config(process: Process) -> Any:
    """What the node will read; ``None``: nothing in it can be judged here."""
    if process.name not in _CHECKS or not process.parameters:  # Defaults name what ships.
        return None
    model = NODES[process.name]
    values: dict[str, Any] = {k: v for k, v in process.parameters.items() if k in model.model_fields}
    return model.model_construct(**values)  # `describe` has validated the values.


# Everything below is imported on demand: most graphs need little of it.


def _perception(config: Any) -> None:
    from dasha_ros.perception.detectors import check_detector
    from dasha_ros.perception.encoders import check_encoder

    check_encoder(config.encoder, config.encoder_weights)
    if not config.detector_topic:
        check_detector(config.detector, config.detector_weights, config.detector_classes)


def _high_level_agent(config: Any) -> None:
    from dasha_ros.policies.registry import check_exposure_policy

    if config.mode == "learn":
        _learner(config, "exposure")
    else:
        check_exposure_policy(config.policy)


def _low_level_agent(config: Any) -> None:
    from dasha_ros.policies.registry import check_focus_policy

    if config.mode == "learn":
        _learner(config, "focus")
    else:
        check_focus_policy(config.policy)


def _learner(config: Any, agent: Agent) -> None:
    from dasha_ros.learning.training.presets import load_preset
    from dasha_ros.policies.learned.policy_file import PolicyFile, policy_to_learn_from

    preset = load_preset(config.preset)
    PolicyFile.load(policy_to_learn_from(config.learn_from, preset.name, agent), agent)


def _trainer(config: Any) -> None:
    from dasha_ros.twin.check import check_scene

    for name in config.scenes:
        check_scene(name)


def _twin_world(config: Any) -> None:
    from dasha_ros.twin.check import check_scene

    check_scene(config.scene)


def _camera_driver(config: Any) -> None:
    from dasha_ros.ros.driver.table import driver_named

    if config.backend == "ros_driver":
        driver_named(config.driver)


def _lens_driver(config: Any) -> None:
    from dasha_ros.optics.profiles import lens_model

    _camera_driver(config)
    if config.backend not in {"stack", "replay"}:  # Those lenses are what was recorded.
        lens_model(config.profile)


def _device_emulator(config: Any) -> None:
    from dasha_ros.optics.profiles import lens_model

    lens_model(config.profile)


_CHECKS: dict[str, Callable[[Any], None]] = {
    "camera_driver": _camera_driver,
    "device_emulator": _device_emulator,
    "high_level_agent": _high_level_agent,
    "lens_driver": _lens_driver,
    "low_level_agent": _low_level_agent,
    "perception": _perception,
    "trainer": _trainer,
    "twin_world": _twin_world,
}
