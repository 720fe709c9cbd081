"""Parameter files give nodes their values, and users warnings."""

from __future__ import annotations

from pathlib import Path

import pytest

from dasha_ros.bringup.graph import Graph, Options, describe
from dasha_ros.config import NODES, ConfigError, as_yaml
from dasha_ros.config.params_file import load
from dasha_ros.config.ros_file import RosFile


@pytest.fixture
def write(tmp_path: Path):
    """Writes a file and returns the graph that is described with it."""

    def graph(text: str, **options: object) -> Graph:
        path = tmp_path / "mine.yaml"
        path.write_text(text)
        return describe(Options(params_file=str(path), **options), {})  # type: ignore[arg-type]

    return graph


def parameters(graph: Graph, node: str = "camera_driver") -> dict[str, object]:
    return next(dict(p.parameters) for p in graph.processes if p.name == node)


BOTH = """
/left/camera_driver: {ros__parameters: {serial: '111'}}
/right/camera_driver: {ros__parameters: {serial: '222'}}
"""


@pytest.mark.parametrize(("namespace", "serial"), [("/left", "111"), ("/right", "222"), ("/dasha", None)])
def test_a_block_applies_only_to_its_namespace(write, namespace, serial):
    graph = write(BOTH, rig="hardware", namespace=namespace)
    assert parameters(graph).get("serial") == serial
    assert bool(graph.warnings) == (serial is None)


def test_two_blocks_for_one_node_add_up(write):
    graph = write(
        "/**/camera_driver: {ros__parameters: {gain_db: 6.0}}\n"
        "/dasha/camera_driver: {ros__parameters: {preview_rate_hz: 5.0}}\n"
    )
    assert parameters(graph) == {"gain_db": 6.0, "preview_rate_hz": 5.0}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/**: {ros__parameters: {autostart: false}}", {"autostart": False}),
        ("dasha: {camera_driver: {ros__parameters: {gain_db: 6.0}}}", {"gain_db": 6.0}),
        (
            "/nav/planner: {ros__parameters: {x: 1}}\n/**/camera_driver: {ros__parameters: {gain_db: 6.0}}",
            {"gain_db": 6.0},
        ),
        (
            "/dasha/camera_driver:\n  ros__parameters:\n    gain_db: 6.0\n"
            "    start_type_description_service: true\n    use_sim_time: false\n",
            {"gain_db": 6.0, "start_type_description_service": True},
        ),
        (
            "/**: {ros__parameters: {qos_overrides: {/tf: {publisher: {depth: 5}}}}}",
            {"qos_overrides./tf.publisher.depth": 5},
        ),
    ],
)
def test_every_form_of_ros_is_read(write, text, expected):
    graph = write(text)
    assert parameters(graph) == expected
    assert graph.warnings == ()


@pytest.mark.parametrize("serial", ["21234567", "007", "1e5", "0x10", "yes", "null", "1_000", "'5'"])
def test_a_serial_number_keeps_its_text(write, serial):
    expected = serial.strip("'")
    graph = write(f"/**/camera_driver: {{ros__parameters: {{serial: {serial}}}}}", rig="hardware")
    assert parameters(graph)["serial"] == expected
    options = Options(rig="hardware", overrides=(f"camera_driver.serial={serial}",))
    assert parameters(describe(options, {}))["serial"] == expected


@pytest.mark.parametrize(
    "value",
    ["binning: true", "gain_db: true", "gain_db: '6'", "gain_db: yes", "autostart: 1", "width: 640.0"],
)
def test_a_value_of_another_type_is_refused(write, value):
    node = "camera_driver"
    with pytest.raises(ConfigError, match=rf"mine\.yaml: line 3: {node}: {value.split(':')[0]} = "):
        write(f"/**/{node}:\n  ros__parameters:\n    {value}\n")
    with pytest.raises(ConfigError, match=rf"{node}: {value.split(':')[0]} = "):
        describe(Options(overrides=(f"{node}.{value.replace(': ', '=')}",)), {})


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "/dasha/camera_drver: {ros__parameters: {gain_db: 1.0}}",
            "line 1: /dasha/camera_drver is not /dasha/camera_driver, so this block is ignored; did you mean",
        ),
        ("camera_driver: {ros__parameters: {}}", "or /**/camera_driver for any namespace?"),
        ("/other/perception: {ros__parameters: {}}", "/other/perception is not /dasha/perception"),
        (
            "/**/camera_driver:\n  ros__parameters:\n    gian_db: 1.0",
            "line 3: camera_driver has no parameter 'gian_db', so it is ignored; did you mean gain_db?",
        ),
        ("/**: {ros__parameters: {use_sim_time: true}}", "until something else publishes /clock"),
    ],
)
def test_probable_mistakes_give_warnings(write, text, sentence):
    graph = write(text)
    (warning,) = graph.warnings
    assert sentence in warning
    assert "gain_db" not in parameters(graph)


@pytest.mark.parametrize(
    "text",
    [
        "/**: {ros__parameters: {robot: r2}}",
        "/nav/planner: {ros__parameters: {gain: 1}}",
        "/dasha/trainer: {ros__parameters: {seed: 1}}",
        "/dasha/perception: {ros__parameters: {}}\n/other/perception: {ros__parameters: {}}",
        as_yaml(),
    ],
)
def test_blocks_for_other_nodes_give_no_warnings(write, text):
    assert write(text).warnings == ()


def test_all_nodes_have_one_clock(write):
    everywhere = "/**: {ros__parameters: {use_sim_time: %s}}"
    graph = write(everywhere % "true", speed=4.0)
    assert graph.warnings == ()
    assert all(p.parameters.get("use_sim_time", False) == (p.name != "twin_world") for p in graph.processes)
    assert all(p.parameters["use_sim_time"] is True for p in write(everywhere % "true").processes)
    assert not any("use_sim_time" in p.parameters for p in write(everywhere % "false").processes)
    with pytest.raises(ConfigError, match="use_sim_time is false, but with speed 4 of twin_world all nodes"):
        write(everywhere % "false", speed=4.0)
    with pytest.raises(ConfigError, match="perception: use_sim_time is true, but not for camera_driver, "):
        write("/**/perception: {ros__parameters: {use_sim_time: true}}")
    with pytest.raises(ConfigError, match="use_sim_time = 1: must be true or false"):
        write(everywhere % "1")


def test_what_the_client_library_would_refuse_is_refused_with_its_line(write):
    reason = r"line 1: \w+: start_type_description_service = 'no': must be true or false"
    with pytest.raises(ConfigError, match=reason):
        write("/**: {ros__parameters: {start_type_description_service: 'no'}}")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 1\n", "git lfs pull"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "is a web page"),
        (bytes(500), "holds only zeros"),
        (b"\x89PNG\r\n\x1a\n", "is a PNG picture, not a parameter file"),
    ],
)
def test_what_is_no_parameter_file_is_named(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "mine.yaml").write_bytes(content)
    with pytest.raises(ConfigError, match=says):
        load(tmp_path / "mine.yaml", "/dasha")


@pytest.mark.parametrize(
    "other",
    [
        "# as on the <HTML> page",
        "/web: {ros__parameters: {icon: '<svg width=10></svg>'}}",
        "/web: {ros__parameters: {start: '<html><body>'}}",
        "/GIF89a_player: {ros__parameters: {x: 1}}",
    ],
)
def test_a_right_file_may_hold_the_words_of_another_kind(tmp_path: Path, other: str) -> None:
    (tmp_path / "mine.yaml").write_text(
        f"{other}\n/dasha/lens_driver: {{ros__parameters: {{settle_ms: 3.0}}}}\n"
    )
    assert load(tmp_path / "mine.yaml", "/dasha").configs["lens_driver"].settle_ms == 3.0


def test_the_printed_file_has_the_defaults(tmp_path):
    path = tmp_path / "dasha.yaml"
    path.write_text(as_yaml())
    loaded = load(path, "/dasha")
    assert loaded.configs == {name: model() for name, model in NODES.items()}
    for name, model in NODES.items():
        given = RosFile(as_yaml()).parameters(f"/any/where/{name}")
        assert {key: value.value for key, value in given.items()} == model().model_dump()


def qos(name: str, value: str, node: str = "/**") -> str:
    return f"{node}:\n  ros__parameters:\n    qos_overrides.{name}: {value}\n"


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("/dasha/camera/image_raw.publisher.depth", "0", "write a whole number from 1"),
        ("/dasha/camera/image_raw.publisher.reliability", "sure", "write reliable or best_effort"),
        ("/dasha/lens/state.subscription.durability", "volatile", "only history, depth, reliability can be"),
        ("/yolo/detections.subscription.depth", "-1", "write a whole number from 1"),
    ],
)
def test_an_impossible_quality_of_service_is_refused_before_anything_starts(write, name, value, why):
    with pytest.raises(ConfigError, match=rf"line 3: \w+: qos_overrides\.{name} = .*: {why}"):
        write(qos(name, value))


def test_other_packages_topics_may_have_policies_that_ours_may_not(write):
    name = "/tf.publisher.durability"
    assert parameters(write(qos(name, "volatile"))) == {f"qos_overrides.{name}": "volatile"}
    assert parameters(write(qos("/dasha/x.durability", "volatile")))
