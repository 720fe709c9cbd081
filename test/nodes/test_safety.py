"""Random and hostile commands: the lens never gets a position outside its limits, and the nodes survive."""

from __future__ import annotations

import math
import random
from pathlib import Path

import pytest
from graph import Graph
from other_lenses import DIOPTRES, TABLES
from ros_harness import command

pytestmark = pytest.mark.graph

LENSES = {"V": (24.0, 70.0), "D": (DIOPTRES.position_min, DIOPTRES.position_max), "steps": (0.0, 1023.0)}
"""Limits of lenses in three units."""
HOSTILE_EXPOSURES = (math.nan, math.inf, -math.inf, -1.0, 0.0, 1e-9, 23.0, 1.1e6, 1e300)


HOSTILE_IDS = (("", 0), ("", 7), ("a stranger", 0), ("a stranger", 1), ("a stranger", 2**64 - 1))


def hostile_positions(low: float, high: float) -> tuple[float, ...]:
    """No numbers, and numbers beyond both limits, near and far."""
    beyond = tuple(math.nextafter(limit, far) for limit, far in ((low, -math.inf), (high, math.inf)))
    near = (low - 1e-6, high + 1e-6, low - 1.0, high + 1.0)
    return (math.nan, math.inf, -math.inf, 1e300, -1e300, *beyond, *near)


@pytest.mark.parametrize("unit", LENSES)
def test_hostile_commands(bare_graph: Graph, tmp_path: Path, unit: str) -> None:
    from diagnostic_msgs.msg import DiagnosticArray

    from dasha_ros import msg
    from dasha_ros.ros.transport import qos

    seed = 20_260_101
    draw = random.Random(seed)
    low, high = LENSES[unit]
    profile, record = "physical", tmp_path / "positions"
    if unit != "V":
        profile = str(tmp_path / "lens.yaml")
        Path(profile).write_text(TABLES["dioptres" if unit == "D" else unit])
    record.touch()
    graph, probe = bare_graph, bare_graph.probe
    graph.spawner.env["DASHA_TEST_RECORD"] = str(record)
    graph.start(
        "twin_world",
        "camera_driver",
        "lens_driver",
        lens_driver={"profile": profile},
        scripts={"lens_driver": Path(__file__).parent / "programs" / "recording_lens_driver.py"},
    )
    graph.until_active()
    told = probe.subscribe(msg.LensInfo, "lens/info", qos.STATE)
    probe.until(lambda: told, "what the lens can do")
    assert (told[-1].unit, told[-1].position_min, told[-1].position_max) == (unit, low, high)
    states = probe.subscribe(msg.LensState, "lens/state", qos.STATE)
    captures = probe.subscribe(msg.CaptureInfo, "camera/capture", qos.CAPTURE)
    diagnostics = probe.subscribe(DiagnosticArray, "/diagnostics", qos.DIAGNOSTICS)
    lens = probe.publisher(msg.LensCommand, "lens/command", qos.COMMAND)
    camera = probe.publisher(msg.ExposureCommand, "camera/exposure_command", qos.COMMAND)
    for n in range(4000):  # a flood: as fast as they can be sent, two publishers' worth of disorder
        position = draw.choice(
            (*hostile_positions(low, high), draw.uniform(low - 100, high + 100), draw.uniform(low, high))
        )
        exposure = draw.choice((*HOSTILE_EXPOSURES, draw.uniform(-1e6, 2e6), draw.uniform(24, 2e4)))
        for publisher, kind, values in (
            (lens, msg.LensCommand, {"position": position}),
            (camera, msg.ExposureCommand, {"exposure_us": exposure}),
        ):
            sent = command(kind, **values)
            if n % 3 == 0:
                sent.id.sender, sent.id.sequence = draw.choice(HOSTILE_IDS)
            publisher.publish(sent)
        if n % 20 == 0:
            probe.executor.spin_once(timeout_sec=0.001)
    good = low + 0.2 * (high - low)
    lens.publish(command(msg.LensCommand, position=good))
    camera.publish(command(msg.ExposureCommand, exposure_us=4321.0))
    probe.until(lambda: states and states[-1].commanded_position == good, "the lens obeys a good command")
    probe.until(lambda: captures and captures[-1].exposure_us == 4321.0, "the camera obeys a good command")
    given = [float(line) for line in record.read_text().split()]
    assert given
    assert given[-1] == good
    assert all(low <= position <= high for position in given), f"seed {seed}"
    assert states[-1].unit == unit
    assert states[-1].refused > 0
    assert "refused" in states[-1].last_refusal
    for node in ("lens_driver", "camera_driver"):

        def counts(node: str = node) -> list[int]:
            return [
                int(v.value)
                for array in diagnostics
                for status in array.status
                if status.name.endswith(node)
                for v in status.values
                if v.key == "refused_commands"
            ]

        # Diagnostics come once a second, and a flood may end sooner.
        counted = probe.until(counts, f"the refusals that {node} counted")
        assert counted
        assert counted[-1] > 0
        assert probe.lifecycle_state(node) == "active"


def test_two_senders_of_commands(bare_graph: Graph) -> None:
    """Each sender has its own sequence. The last command to arrive wins; older ones of a sender don't."""
    from dasha_ros import msg
    from dasha_ros.ros.transport import qos

    graph, probe = bare_graph, bare_graph.probe
    graph.start("twin_world", "lens_driver")
    graph.until_active()
    states = probe.subscribe(msg.LensState, "lens/state", qos.STATE)
    lens = probe.publisher(msg.LensCommand, "lens/command", qos.COMMAND)
    before = command(msg.LensCommand, position=60.0, sender="first")
    for sender, position in (("first", 50.0), ("second", 30.0)):
        lens.publish(command(msg.LensCommand, position=position, sender=sender))
        probe.until(
            lambda position=position: states and states[-1].commanded_position == position, f"{position} V"
        )
    lens.publish(before)
    probe.until(lambda: states[-1].refused == 1, "a refusal")
    assert states[-1].commanded_position == 30.0
    assert "came before it" in states[-1].last_refusal
