"""Goals with the detector of another node, and what is said when that node is gone."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from graph import Graph

pytestmark = pytest.mark.graph

DETECTOR = Path(__file__).parent / "programs" / "other_detector.py"


def test_a_goal_is_reached_with_another_nodes_detections_and_fails_by_name_without(bare_graph: Graph) -> None:
    from diagnostic_msgs.msg import DiagnosticArray
    from vision_msgs.msg import Detection2DArray

    from dasha_ros import msg
    from dasha_ros.ros.transport import qos

    probe = bare_graph.probe
    yolo = bare_graph.spawner(sys.executable, str(DETECTOR))  # in a plain environment
    bare_graph.start(perception={"detector_topic": "/yolo/detections"})
    yolo.wait_for_output("ready")
    bare_graph.until_active()
    infos = probe.subscribe(msg.PerceptionInfo, "perception/info", qos.STATE)
    probe.until(lambda: infos, "perception's description")
    assert (infos[0].detector, list(infos[0].labels)) == ("/yolo/detections", [])

    theirs = probe.subscribe(Detection2DArray, "/yolo/detections", qos.DETECTIONS)
    ours = probe.subscribe(Detection2DArray, "perception/detections", qos.PERCEPT)
    percepts = probe.subscribe(msg.Percept, "perception/percept", qos.PERCEPT)
    client = bare_graph.client()
    probe.until(lambda: theirs, "the other node's first detections, of a preview")
    result = client.run("motorcycle")
    assert (result.error_code, result.error_msg) == (0, "")
    assert result.detection.label == "motorcycle"
    assert result.detection.sharpness > 0.0

    # Every percept has the detections of its own picture, in both forms.
    probe.until(lambda: percepts and ours and ours[-1].header == percepts[-1].header, "the last detections")
    by_stamp = {(m.header.stamp.sec, m.header.stamp.nanosec): m for m in theirs}
    pairs = [(p, by_stamp.get((p.header.stamp.sec, p.header.stamp.nanosec))) for p in percepts]
    known = [(percept, sent) for percept, sent in pairs if sent is not None]
    assert len(known) >= 3
    for percept, sent in known:
        assert sorted(d.label for d in percept.detections) == sorted(
            d.results[0].hypothesis.class_id for d in sent.detections
        )
    last, box = percepts[-1].detections[0], ours[-1].detections[0].bbox
    assert box.center.position.x == pytest.approx((last.x_min + last.x_max) / 2, abs=0.01)
    assert box.size_y == pytest.approx(last.y_max - last.y_min, abs=0.01)

    yolo.stop()
    said = probe.subscribe(DiagnosticArray, "/diagnostics", qos.DIAGNOSTICS)

    def named() -> bool:
        texts = [s.message for m in said for s in m.status if s.name == "dasha/perception"]
        return any("no node publishes /yolo/detections" in text for text in texts)

    failed = client.send("person")
    probe.until(named, "the diagnostics to name the detector")
    assert failed.result().error_code == 303  # PERCEPTION_LOST
