"""Which device a configuration names. Nothing is opened, and no ROS is needed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from opto_icc import install
from stack_maker import squares_stack

from dasha_ros.config import CameraDriverConfig, LensDriverConfig, choices_of
from dasha_ros.devices.aravis import library
from dasha_ros.devices.aravis.camera import AravisCamera
from dasha_ros.devices.indi.lens import IndiLens
from dasha_ros.devices.indi.settings import IndiSettings
from dasha_ros.devices.lens import Lens
from dasha_ros.devices.optotune.icc.boards import CHANNELS, IccBoard
from dasha_ros.devices.optotune.icc.lens import IccLens, IccSettings
from dasha_ros.devices.optotune.lens import OptotuneLens, OptotuneSettings
from dasha_ros.devices.pylon.camera import PylonCamera
from dasha_ros.devices.pylon.lens import PylonLens
from dasha_ros.devices.pylon.lens_port import LensPortServer
from dasha_ros.devices.stack.camera import StackCamera
from dasha_ros.devices.stack.description import StackError
from dasha_ros.devices.stack.lens import StackLens
from dasha_ros.devices.twin.camera import TwinCamera
from dasha_ros.devices.twin.lens import TwinLens
from dasha_ros.devices.varioptic.boards import BOARDS
from dasha_ros.devices.varioptic.lens import VariopticLens, VariopticSettings
from dasha_ros.freshness.clock import ManualClock
from dasha_ros.optics.lens_info import FROM_ABOVE
from dasha_ros.optics.profiles import lens_model
from dasha_ros.ros.driver_nodes.backends import camera_backend, lens_backend, lens_port
from dasha_ros.system import extras
from dasha_ros.system.extras import ExtraMissing

TABLE = "points:\n  - {position: 41.0, distance_m: 3.0}\n  - {position: 48.0, distance_m: 0.4}\n"


def varioptic(**parameters: object) -> VariopticSettings:
    config = LensDriverConfig(backend="varioptic", port="/dev/lens", **parameters)
    lens = lens_backend(config, ManualClock())
    assert isinstance(lens, VariopticLens)
    return lens.settings


def test_every_known_board_can_be_chosen_and_no_other() -> None:
    assert set(choices_of(LensDriverConfig, "board")) == set(BOARDS)
    for board in BOARDS:
        assert varioptic(board=board).board == board


def test_a_measured_settling_time_is_used_or_else_the_default(tmp_path: Path) -> None:
    usual = VariopticSettings(port="/dev/lens").settle_s
    assert varioptic().settle_s == usual
    measured, unmeasured = tmp_path / "measured.yaml", tmp_path / "unmeasured.yaml"
    measured.write_text(f"settle_s: 0.072\n{TABLE}")
    unmeasured.write_text(TABLE)
    assert varioptic(profile=str(measured)).settle_s == 0.072
    assert varioptic(profile=str(unmeasured)).settle_s == usual


def test_an_unknown_profile_is_reported_before_anything_is_opened() -> None:
    with pytest.raises(ValueError, match="neither physical, nor paper, nor optotune, nor a file"):
        varioptic(profile="/nowhere.yaml")


def test_lens_parameters_reach_the_back_end() -> None:
    settings = varioptic(serial="0001", reply_timeout_ms=80.0, standby=False)
    assert (settings.serial_number, settings.reply_timeout_s, settings.standby_on_close) == (
        "0001",
        0.08,
        False,
    )


def test_optotune_parameters_reach_the_back_end() -> None:
    config = LensDriverConfig(
        backend="optotune", port="/dev/lens", serial="A1", profile="optotune", temperature_min_c=15.0,
        temperature_max_c=35.0, reply_timeout_ms=80.0, standby=False,
    )  # fmt: skip
    lens = lens_backend(config, ManualClock())
    assert isinstance(lens, OptotuneLens)
    assert lens.settings == OptotuneSettings(
        port="/dev/lens", serial_number="A1", temperature_min_c=15.0, temperature_max_c=35.0,
        reply_timeout_s=0.08, standby_on_close=False,
    )  # fmt: skip


def test_an_optotune_lens_is_optotune_or_a_table_in_dioptres(tmp_path: Path) -> None:
    def lens(profile: str) -> Lens:
        return lens_backend(
            LensDriverConfig(backend="optotune", port="/dev/lens", profile=profile), ManualClock()
        )

    for named in ("physical", "optotune"):
        assert lens(named).describe()["profile"] == lens_model("optotune").id
    table = tmp_path / "lens.yaml"
    table.write_text(f"unit: D\nposition_min: -2\nposition_max: 60\n{TABLE}")
    assert lens(str(table)).describe()["profile"].startswith("table:")
    table.write_text(TABLE)
    with pytest.raises(ValueError, match="is in V, and an Optotune lens takes D"):
        lens(str(table))


def test_the_parameters_of_an_icc_reach_the_back_end(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    install(monkeypatch)
    table = tmp_path / "lens.yaml"
    table.write_text(f"unit: D\nposition_min: -2\nposition_max: 60\nsettle_s: 0.03\n{TABLE}")
    config = LensDriverConfig(
        backend="optotune_icc", port="/dev/lens", serial="A1", profile=str(table), icc_controller="icc-4c",
        icc_channel=3, icc_tolerance_dioptres=0.2, standby=False,
    )  # fmt: skip
    lens = lens_backend(config, ManualClock())
    assert isinstance(lens, IccLens)
    assert lens.settings == IccSettings(
        port="/dev/lens", serial_number="A1", board=IccBoard("icc-4c", 3), tolerance_dioptres=0.2,
        settle_s=0.03, standby_on_close=False,
    )  # fmt: skip
    assert lens.describe()["profile"].startswith("table:")
    usual = lens_backend(LensDriverConfig(backend="optotune_icc"), ManualClock())
    assert isinstance(usual, IccLens)
    assert usual.settings == IccSettings()
    assert usual.describe()["profile"] == lens_model("optotune").id
    assert set(choices_of(LensDriverConfig, "icc_controller")) == set(CHANNELS)
    with pytest.raises(ValueError, match="an ICC-1C has only channel 0"):
        lens_backend(
            LensDriverConfig(backend="optotune_icc", icc_controller="icc-1c", icc_channel=1), ManualClock()
        )


def test_where_optotune_s_package_is_missing_the_driver_says_where_to_get_it() -> None:
    with pytest.raises(ExtraMissing, match="a lens at an ICC-1C or ICC-4C needs Optotune's package optoICC"):
        lens_backend(LensDriverConfig(backend="optotune_icc"), ManualClock())


def test_indi_parameters_reach_the_back_end(tmp_path: Path) -> None:
    table = tmp_path / "motor.yaml"
    table.write_text(f"unit: steps\nposition_min: 0\nposition_max: 100\nsettle_s: 0.3\n{TABLE}")
    config = LensDriverConfig(
        backend="indi", indi_server="pi.local:1234", indi_device="Moon", indi_home="HOME.GO",
        profile=str(table), indi_backlash_steps=7, indi_approach="from_above", indi_travel_timeout_s=5.0,
    )  # fmt: skip
    lens = lens_backend(config, ManualClock())
    assert isinstance(lens, IndiLens)
    assert lens.settings == IndiSettings(
        server="pi.local:1234", device="Moon", home="HOME.GO", backlash_steps=7, approach=FROM_ABOVE,
        travel_timeout_s=5.0, settle_s=0.3,
    )  # fmt: skip
    without_map = lens_backend(LensDriverConfig(backend="indi"), ManualClock())
    assert isinstance(without_map, IndiLens)
    with pytest.raises(ValueError, match="no HOST:PORT"):
        lens_backend(LensDriverConfig(backend="indi", indi_server="pi.local:"), ManualClock())


def test_a_lens_at_the_camera_s_port_is_reached_through_the_camera_driver(tmp_path: Path) -> None:
    socket = str(tmp_path / "port")
    config = CameraDriverConfig(backend="pylon", lens_socket=socket)
    camera = camera_backend(config, ManualClock())
    assert isinstance(lens_port(config, camera), LensPortServer)
    assert lens_port(CameraDriverConfig(backend="pylon"), camera) is None
    twin = CameraDriverConfig(lens_socket=socket)
    assert lens_port(twin, camera_backend(twin, ManualClock())) is None
    lens = lens_backend(LensDriverConfig(backend="pylon", camera_socket=socket), ManualClock())
    assert isinstance(lens, PylonLens)
    with pytest.raises(ValueError, match="needs `camera_socket`"):
        lens_backend(LensDriverConfig(backend="pylon"), ManualClock())


def test_temperature_limits_that_are_no_range_are_refused() -> None:
    with pytest.raises(ValueError, match="temperature_min_c is 50; it must be below temperature_max_c, 45"):
        LensDriverConfig(temperature_min_c=50.0)


def test_camera_parameters_reach_the_back_end() -> None:
    config = CameraDriverConfig(
        backend="pylon", serial="21234567", encoding="rgb8", width=640, height=480, offset_x=8, offset_y=4,
        binning=2, packet_size=9000, gain_db=3.0, initial_exposure_us=5_000.0, frame_margin_s=1.5,
    )  # fmt: skip
    camera = camera_backend(config, ManualClock())
    assert isinstance(camera, PylonCamera)
    settings = camera.settings
    assert (settings.address, settings.encoding, settings.offset) == ("21234567", "rgb8", (8, 4))
    assert (settings.width, settings.height, settings.binning) == (640, 480, 2)
    assert (settings.packet_size, settings.gain_db) == (9000, 3.0)
    assert (settings.exposure_us, settings.margin_s) == (5_000.0, 1.5)
    centred = camera_backend(CameraDriverConfig(backend="pylon"), ManualClock())
    assert isinstance(centred, PylonCamera)
    assert centred.settings.offset is None


def test_a_focal_stack_is_camera_and_lens(tmp_path: Path) -> None:
    folder = str(squares_stack(tmp_path))
    camera = camera_backend(
        CameraDriverConfig(backend="stack", stack=folder, stack_tone="srgb", encoding="rgb8"), ManualClock()
    )
    assert isinstance(camera, StackCamera)
    assert camera.open().encoding == "rgb8"
    assert camera.describe()["tone"] == "srgb"
    lens = lens_backend(
        LensDriverConfig(backend="stack", stack=folder, stack_step=0.5, initial_share=1.0), ManualClock()
    )
    assert isinstance(lens, StackLens)
    assert (lens.open().position, lens.info.resolution) == (2.0, 0.5)
    for config, make in ((CameraDriverConfig, camera_backend), (LensDriverConfig, lens_backend)):
        with pytest.raises(StackError, match="set its parameter `stack` to the folder"):
            make(config(backend="stack"), ManualClock())


def test_the_twin_is_the_default() -> None:
    assert isinstance(camera_backend(CameraDriverConfig(), ManualClock()), TwinCamera)
    assert isinstance(lens_backend(LensDriverConfig(), ManualClock()), TwinLens)


@pytest.mark.parametrize(
    ("make", "config", "missing"),
    [
        (camera_backend, CameraDriverConfig(backend="pylon"), "a Basler camera needs pypylon"),
        (lens_backend, LensDriverConfig(backend="varioptic"), "a Varioptic lens needs serial"),
        (lens_backend, LensDriverConfig(backend="optotune"), "an Optotune lens needs serial"),
        (
            lens_backend,
            LensDriverConfig(backend="indi"),
            "an INDI focuser needs indipyclient",
        ),
    ],
)
def test_a_missing_library_is_named_before_anything_is_opened(
    monkeypatch: pytest.MonkeyPatch, make: Any, config: Any, missing: str
) -> None:
    monkeypatch.setattr(extras, "find_spec", lambda _: None)
    with pytest.raises(ExtraMissing, match=rf"^{missing}, which is not installed: run \./scripts/setup"):
        make(config, ManualClock())


def test_a_genicam_camera_gets_the_settings_of_the_camera_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "aravis", lambda: None)
    config = CameraDriverConfig(backend="aravis", serial="S1", width=640, height=480, offset_x=8, offset_y=4)
    camera = camera_backend(config, ManualClock())
    assert isinstance(camera, AravisCamera)
    settings = camera.settings
    assert (settings.address, settings.width, settings.height, settings.offset) == ("S1", 640, 480, (8, 4))
    centred = camera_backend(CameraDriverConfig(backend="aravis"), ManualClock())
    assert isinstance(centred, AravisCamera)
    assert centred.settings.offset is None


def test_where_aravis_is_missing_the_driver_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    library.aravis.cache_clear()
    monkeypatch.setattr(library, "find_spec", lambda _: None)
    monkeypatch.setattr(library, "DIST_PACKAGES", tmp_path)
    with pytest.raises(ExtraMissing, match=r"apt install python3-gi gir1\.2-aravis"):
        camera_backend(CameraDriverConfig(backend="aravis"), ManualClock())
