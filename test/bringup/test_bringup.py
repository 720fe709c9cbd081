"""The graph as data: what each option changes, and what is refused."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stack_maker import squares_stack

from dasha_ros.bringup import environment, rigs
from dasha_ros.bringup.graph import Options, describe
from dasha_ros.config import NODES, ConfigError, as_yaml
from dasha_ros.config.ros_value import parameter_text
from dasha_ros.system.paths import config_dir


def parameters(options: Options) -> dict[str, dict[str, object]]:
    return {p.name: dict(p.parameters) for p in describe(options, {}).processes}


def test_default_graph_is_every_node_of_the_twin_with_its_defaults():
    graph = describe(environ={})
    assert sorted(p.name for p in graph.processes) == sorted(set(NODES) - {"trainer", "device_emulator"})
    assert all(p.parameters == {} for p in graph.processes)
    assert graph.node_names == tuple(f"/dasha/{p.name}" for p in graph.processes)
    assert all(p.respawn for p in graph.processes)


def test_every_process_is_a_module_and_an_installed_executable():
    cmake = (config_dir().parent / "CMakeLists.txt").read_text()
    for process in describe(environ={}).processes:
        assert importlib.util.find_spec(process.module) is not None
        assert process.executable in cmake.split("set(executables")[1].split(")")[0].split()


def test_the_shipped_parameter_file_equals_the_models():
    assert (config_dir() / "dasha.yaml").read_text() == as_yaml(), (
        "write it again: dasha config > config/dasha.yaml"
    )


def test_named_options_reach_their_nodes():
    values = parameters(
        Options(
            scene="street", encoder="resnet152", detector="retinanet", exposure_policy="a", focus_policy="b"
        )
    )
    assert values["twin_world"] == {"scene": "street"}
    assert values["perception"] == {"encoder": "resnet152", "detector": "retinanet"}
    assert values["high_level_agent"] == {"policy": "a"}
    assert values["low_level_agent"] == {"policy": "b"}


def test_faster_twin_gives_simulated_time_to_everyone_but_the_clock():
    values = parameters(Options(speed=4.0))
    assert values.pop("twin_world") == {"speed": 4.0}
    assert all(v == {"use_sim_time": True} for v in values.values())
    assert not any("use_sim_time" in v for v in parameters(Options(speed=1.0)).values())
    assert parameters(Options(overrides=("twin_world.speed=2",)))["lens_driver"] == {"use_sim_time": True}


def test_file_then_rig_then_named_option_then_override(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(
        "/**/camera_driver:\n  ros__parameters: {backend: pylon, gain_db: 1.0, width: 640}\n"
        "/**/perception:\n  ros__parameters: {encoder: from_file, detector: from_file}\n"
    )
    values = parameters(
        Options(
            rig="twin",
            params_file=str(path),
            encoder="from_option",
            overrides=("camera_driver.gain_db=3.5", "perception.min_score=0.2"),
        )
    )
    assert values["camera_driver"] == {"gain_db": 3.5, "width": 640}  # the twin's back end: the rig decides
    assert values["perception"] == {"encoder": "from_option", "detector": "from_file", "min_score": 0.2}


@pytest.mark.parametrize(
    ("camera", "lens", "rig"),
    [
        ("twin", "twin", "twin"),
        ("twin", "varioptic", "twin"),
        ("v4l2", "v4l2", "webcam"),
        ("pylon", "varioptic", "hardware"),
        ("ros_driver", "ros_driver", "ros-driver"),
    ],
)
def test_a_file_that_names_its_devices_needs_no_rig(tmp_path, camera, lens, rig):
    path = tmp_path / "mine.yaml"
    path.write_text(
        f"/**/camera_driver:\n  ros__parameters: {{backend: {camera}}}\n"
        f"/**/lens_driver:\n  ros__parameters: {{backend: {lens}}}\n"
    )
    assert describe(Options(params_file=str(path)), {}) == describe(
        Options(rig=rig, params_file=str(path)), {}
    )


@pytest.mark.parametrize(
    ("camera", "lens", "sockets"),
    [("pylon", "optotune", False), ("pylon", "optotune_icc", False), ("pylon", "pylon", True)],
)
def test_devices_of_two_kinds_make_a_rig_of_their_own(camera, lens, sockets):
    values = parameters(Options(overrides=(f"camera_driver.backend={camera}", f"lens_driver.backend={lens}")))
    assert "twin_world" not in values
    assert (values["camera_driver"]["backend"], values["lens_driver"]["backend"]) == (camera, lens)
    assert ("lens_socket" in values["camera_driver"]) == ("camera_socket" in values["lens_driver"]) == sockets


@pytest.mark.parametrize(
    ("override", "value"),
    [("serial=21234567", "21234567"), ("serial=0815-0000", "0815-0000"), ("serial='1'", "1")],
)
def test_a_text_that_looks_like_a_number_stays_a_text(override, value):
    options = Options(rig="hardware", overrides=(f"camera_driver.{override}",))
    assert parameters(options)["camera_driver"]["serial"] == value


def test_a_binary_parameter_file_is_refused(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_bytes(bytes(range(256)))
    with pytest.raises(ConfigError, match=r"mine\.yaml: this is not YAML: control characters"):
        describe(Options(params_file=str(path)), {})


@pytest.mark.parametrize("rig", rigs.RIGS)
def test_real_time_suits_every_rig(rig, tmp_path):
    shown = {
        "stack": (f"camera_driver.stack={squares_stack(tmp_path / 's')}",),
        "replay": (f"camera_driver.recording={tmp_path}",),
    }.get(rig, ())
    assert parameters(Options(rig=rig, speed=1.0, overrides=shown)) == parameters(
        Options(rig=rig, overrides=shown)
    )


def test_a_camera_node_of_another_package_is_named_once():
    once = parameters(Options(rig="ros-driver", overrides=("camera_driver.driver=camera_ros",)))
    assert once["lens_driver"]["driver"] == once["camera_driver"]["driver"] == "camera_ros"
    two = ("camera_driver.driver=camera_ros", "lens_driver.driver=usb_cam", "lens_driver.driver_node=/eye")
    values = parameters(Options(rig="ros-driver", overrides=two))
    assert (values["camera_driver"]["driver"], values["lens_driver"]["driver"]) == ("camera_ros", "usb_cam")
    assert values["camera_driver"]["backend"] == values["lens_driver"]["backend"] == "ros_driver"


def test_a_recording_is_named_once(tmp_path):
    folder = tmp_path / "goal"
    with pytest.raises(ConfigError, match=r"needs a recording: --set camera_driver\.recording=PATH"):
        describe(Options(rig="replay"), {})
    named = f"lens_driver.recording={folder}"
    with pytest.raises(ConfigError, match=r"goal: there is no such recording"):
        describe(Options(rig="replay", overrides=(named,)), {})
    folder.mkdir()
    values = parameters(Options(rig="replay", overrides=(named,)))
    assert "twin_world" not in values
    for node in ("camera_driver", "lens_driver"):
        assert values[node] == {"backend": "replay", "recording": str(folder)}
    with pytest.raises(ConfigError, match="give both the same, or one alone"):
        describe(Options(rig="replay", overrides=(named, f"camera_driver.recording={tmp_path}")), {})


def test_a_stack_is_named_once(tmp_path):
    folder = str(squares_stack(tmp_path))
    for overrides in (
        (f"camera_driver.stack={folder}", "lens_driver.stack_step=0.25"),
        (f"lens_driver.stack={folder}", "camera_driver.stack_step=0.25"),
        (f"lens_driver.stack={folder}", f"camera_driver.stack={folder}", "camera_driver.stack_step=0.25"),
    ):
        values = parameters(Options(rig="stack", overrides=overrides))
        assert "twin_world" not in values
        for node in ("camera_driver", "lens_driver"):
            named = {key: values[node][key] for key in ("backend", "stack", "stack_step")}
            assert named == {"backend": "stack", "stack": folder, "stack_step": 0.25}
    path = tmp_path / "mine.yaml"
    path.write_text(f"/dasha/camera_driver: {{ros__parameters: {{stack: {folder}}}}}")
    values = parameters(Options(rig="stack", params_file=str(path)))
    assert values["lens_driver"]["stack"] == folder


def test_a_stack_that_is_none_is_refused_before_anything_starts(tmp_path):
    folder = squares_stack(tmp_path / "s")
    with pytest.raises(ConfigError, match=r"needs a focal stack: --set camera_driver\.stack=FOLDER"):
        describe(Options(rig="stack"), {})
    named = (f"camera_driver.stack={folder}", f"lens_driver.stack={tmp_path}")
    with pytest.raises(ConfigError, match="give both the same, or one alone"):
        describe(Options(rig="stack", overrides=named), {})
    with pytest.raises(ConfigError, match="no such folder"):
        describe(Options(rig="stack", overrides=(f"lens_driver.stack={tmp_path}/nothing",)), {})
    (folder / "frame3.png").rename(folder / "frame4.png")
    with pytest.raises(ConfigError, match="a frame is missing between"):
        describe(Options(rig="stack", overrides=(f"lens_driver.stack={folder}",)), {})


def test_the_emulated_camera_has_its_drivers_picture_format():
    values = parameters(
        Options(rig="emulated", overrides=("camera_driver.width=640", "camera_driver.encoding=rgb8"))
    )
    assert values["device_emulator"]["width"] == 640
    assert values["device_emulator"]["encoding"] == "rgb8"
    assert "height" not in values["device_emulator"]  # the default of both


def test_real_hardware_differs_from_the_emulated_rig_only_in_addresses_and_patience():
    emulated, hardware = parameters(Options(rig="emulated")), parameters(Options(rig="hardware"))
    assert emulated.keys() - hardware.keys() == {"twin_world", "device_emulator"}
    addresses = {"camera_driver": {"serial", "emulator"}, "lens_driver": {"port"}}
    assert emulated["lens_driver"].pop("reply_timeout_ms") == 200.0
    for node, values in hardware.items():
        assert {k: v for k, v in emulated[node].items() if k not in addresses.get(node, ())} == values


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (Options(rig="submarine"), "unknown rig 'submarine'; known: twin"),
        (Options(log_level="loud"), "unknown log level 'loud'"),
        (Options(namespace="7up"), "is not a valid namespace"),
        (Options(namespace="/"), "is not a valid namespace"),
        (Options(namespace="/left__eye"), "single underscores"),
        (Options(namespace="/__left"), "single underscores"),
        (Options(params_file="/nowhere.yaml"), "there is no such file"),
        (Options(params_file="/dev/zero"), "is a device, not a file"),
        (Options(speed=1000.0), r"twin_world: speed = 1000\.0: .*less than or equal to 50"),
        (
            Options(rig="emulated", speed=5.0),
            "speed = 5: 'emulated' works in real time; use speed 1",
        ),
        (Options(rig="hardware", speed=0.5), r"speed = 0\.5: 'hardware' works in real time"),
        (Options(rig="hardware", overrides=("twin_world.speed=2",)), "speed = 2: .* or the rig twin"),
        (Options(overrides=("gain=1",)), "'gain=1' is not an override: write NODE.PARAMETER=VALUE"),
        (Options(overrides=("camera.gain_db=1",)), "unknown node 'camera'; known: camera_driver"),
        (Options(overrides=("camera_driver.gian_db=1",)), "no parameter 'gian_db'; it has: .*gain_db"),
        (Options(overrides=("camera_driver.gain_db=loud",)), "camera_driver: gain_db = 'loud'"),
        (Options(overrides=("camera_driver.gain_db=.nan",)), "camera_driver: gain_db = nan"),
        (Options(overrides=("twin_world.distances_m=[1, 2",)), "this is not YAML: did not find expected"),
        (
            Options(overrides=("twin_world.distances_m=[1, 2, 3]",)),
            "has 2 layers, but 3 distances",
        ),
        (Options(overrides=("twin_world.distances_m=[-1]",)), "distance is -1"),
        (Options(scene="nosuch"), "twin_world: no scene 'nosuch'; give the path .* motorcycle_street"),
        (Options(scene="/nowhere/mine.yaml"), "scene file /nowhere/mine.yaml: there is no such file"),
    ],
)
def test_invalid_options_are_refused_with_a_reason(options, sentence):
    with pytest.raises(ConfigError, match=sentence):
        describe(options, {})


def test_only_frames_use_shared_memory_unless_the_user_has_a_profile(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.prefix", str(tmp_path / "python"))

    def profile(file):
        path = str(config_dir() / file)
        assert (config_dir() / file).is_file()
        return {"FASTRTPS_DEFAULT_PROFILES_FILE": path, "FASTDDS_DEFAULT_PROFILES_FILE": path}

    files = {"camera_driver": "fastdds.xml", "perception": "fastdds_frames.xml"}
    for process in describe(environ={}).processes:
        assert process.environment == profile(files.get(process.name, "fastdds_node.xml"))
    for name in profile("fastdds.xml"):
        assert environment.profile_of("camera_driver", {name: "/mine.xml"}) == {}
    (tmp_path / "share" / "fastdds").mkdir(parents=True)
    ros = {"AMENT_PREFIX_PATH": f"/elsewhere{os.pathsep}{tmp_path}"}
    assert list(environment.profile_of("perception", ros)) == ["FASTDDS_DEFAULT_PROFILES_FILE"], (
        "Fast DDS 3 warns of the other"
    )
    (tmp_path / "python" / "share" / "fastdds").mkdir(parents=True)
    assert list(environment.profile_of("perception", {})) == ["FASTDDS_DEFAULT_PROFILES_FILE"], "wheels"


def test_the_log_level_applies_only_to_the_package():
    process = describe(Options(namespace="/left/eye", log_level="debug"), {}).processes[0]
    assert process.ros_arguments == ("--log-level", f"left.eye.{process.name}:=debug")


def test_profile_has_room_for_full_frames_and_fits_into_a_container():
    root = ET.parse(config_dir() / "fastdds.xml").getroot()
    value = {element.tag.rsplit("}", 1)[-1]: element.text for element in root.iter()}
    frame = 2048 * 1088 * 3  # rgb8
    assert int(value["maxMessageSize"]) > frame
    assert int(value["segment_size"]) > 4 * frame
    assert value["useBuiltinTransports"] == "false"
    others = 16 * (512 << 10)  # the default segment of nodes and onlookers
    assert int(value["segment_size"]) + others < 64_000_000


def test_describing_imports_no_ros():
    code = (
        "import sys, dasha_ros.bringup.graph as b; b.describe(); print({'rclpy', 'cv2'} & sys.modules.keys())"
    )
    output = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert output == "set()\n"


_VALUES = st.one_of(
    st.booleans(),
    st.integers(-(2**31), 2**31),
    st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False, min_value=-1e7, max_value=1e7),
    st.text(st.characters(min_codepoint=1, max_codepoint=0x2FF)),
    st.lists(st.floats(-1e6, 1e6, allow_subnormal=False), min_size=1, max_size=4),
)


@pytest.fixture
def parse(ros_env):
    """Reads ``-p name:=value`` with the parser of rcl."""
    import rclpy

    context = rclpy.Context()
    rclpy.init(context=context)

    def read(text):
        node = rclpy.create_node(
            "reader",
            context=context,
            cli_args=["--ros-args", "-p", f"x:={text}"],
            use_global_arguments=False,
            start_parameter_services=False,
            enable_rosout=False,
            automatically_declare_parameters_from_overrides=True,
        )
        value = node.get_parameter("x").value
        node.destroy_node()
        return value

    yield read
    context.try_shutdown()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=_VALUES)
def test_parameter_texts_keep_value_and_type(parse, value):
    got = parse(parameter_text(value))
    if isinstance(value, list):
        got = list(got)
    assert type(got) is type(value)
    assert got == value
