"""Gives all nodes of a graph the same clock (``use_sim_time``), because they compare their times."""

from __future__ import annotations

from collections.abc import Mapping

from dasha_ros.config import ConfigError
from dasha_ros.config.ros_value import Value

_CLOCK, _WORLD = "use_sim_time", "twin_world"


def with_one_clock(
    given: Mapping[str, Mapping[str, Value]], speed: float
) -> tuple[dict[str, dict[str, Value]], tuple[str, ...]]:
    """Add ``use_sim_time`` to the parameters of the client library where a node needs it.

    Args:
        given: The parameter file's values, by node, for the nodes that will run.
        speed: The twin's time against real time; other than 1, `TwinWorld` publishes ``/clock``.

    Returns:
        The parameters, and warnings for the user.

    Raises:
        ConfigError: The file asks for two clocks, or for one that does not fit the speed.
    """
    asked = {name: values[_CLOCK] for name, values in given.items() if _CLOCK in values}
    if speed != 1.0:
        # The world publishes the clock and follows none, whatever a block for all nodes says.
        simulated = set(given) - {_WORLD}
        for name in sorted(simulated & asked.keys()):
            if not asked[name]:
                raise ConfigError(
                    f"{name}: {_CLOCK} is false, but with speed {speed:g} of twin_world all nodes follow its "
                    f"/clock: leave {_CLOCK} out, or set speed to 1"
                )
    else:
        simulated = {name for name in asked if asked[name]}
        if simulated and (others := sorted(set(given) - simulated)):
            raise ConfigError(
                f"{', '.join(sorted(simulated))}: {_CLOCK} is true, but not for {', '.join(others)}, and all "
                f"nodes of a graph compare their times: give it to all of them, in a block for /**"
            )
    clocks: dict[str, dict[str, Value]] = {name: {_CLOCK: True} for name in simulated}
    parameters = {
        name: {**{k: v for k, v in values.items() if k != _CLOCK}, **clocks.get(name, {})}
        for name, values in given.items()
    }
    foreign = speed == 1.0 and bool(simulated)
    return parameters, (
        (f"{_CLOCK} is true: time stands still for all nodes until something else publishes /clock",)
        if foreign
        else ()
    )
