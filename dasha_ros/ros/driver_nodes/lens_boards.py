"""Creates the lenses behind boards on serial ports, and what a measured profile says of any lens."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from dasha_ros.config import LensDriverConfig
from dasha_ros.devices.lens import Lens
from dasha_ros.freshness.clock import Clock
from dasha_ros.optics.lens import LensProfile
from dasha_ros.optics.lens_table import TableLens
from dasha_ros.optics.profiles import PROFILES, lens_model
from dasha_ros.system.extras import require

if TYPE_CHECKING:
    from dasha_ros.devices.indi.settings import IndiSettings
    from dasha_ros.devices.optotune.icc.lens import IccSettings
    from dasha_ros.devices.optotune.lens import OptotuneSettings
    from dasha_ros.devices.pylon.lens import PylonLensSettings
    from dasha_ros.devices.varioptic.lens import VariopticSettings

    Settings = TypeVar(
        "Settings", VariopticSettings, OptotuneSettings, IccSettings, IndiSettings, PylonLensSettings
    )


def varioptic_lens(config: LensDriverConfig, clock: Clock) -> Lens:
    """A Corning Varioptic lens; see `backends.lens_backend`."""
    require("hardware", "a Varioptic lens", "serial")
    from dasha_ros.devices.varioptic.lens import VariopticLens, VariopticSettings

    settings = VariopticSettings(
        port=config.port,
        serial_number=config.serial,
        board=config.board,
        reply_timeout_s=config.reply_timeout_ms / 1e3,
        standby_on_close=config.standby,
    )
    profile = lens_model(config.profile)
    return VariopticLens(measured(settings, profile), clock, profile=profile)


def optotune_lens(config: LensDriverConfig, clock: Clock) -> Lens:
    """A lens at an Optotune Lens Driver 4; see `backends.lens_backend`."""
    require("hardware", "an Optotune lens", "serial")
    from dasha_ros.devices.optotune.lens import OptotuneLens, OptotuneSettings

    settings = OptotuneSettings(
        port=config.port,
        serial_number=config.serial,
        temperature_min_c=config.temperature_min_c,
        temperature_max_c=config.temperature_max_c,
        reply_timeout_s=config.reply_timeout_ms / 1e3,
        standby_on_close=config.standby,
    )
    profile = own_table(config) or lens_model("optotune")
    return OptotuneLens(measured(settings, profile), clock, profile=profile)


def optotune_icc_lens(config: LensDriverConfig, clock: Clock) -> Lens:
    """A lens at an Optotune ICC-1C or ICC-4C; see `backends.lens_backend`."""
    from dasha_ros.devices.optotune.icc.boards import IccBoard
    from dasha_ros.devices.optotune.icc.lens import IccLens, IccSettings
    from dasha_ros.devices.optotune.icc.library import check_installed

    check_installed()
    settings = IccSettings(
        port=config.port,
        serial_number=config.serial,
        board=IccBoard(config.icc_controller, config.icc_channel),
        tolerance_dioptres=config.icc_tolerance_dioptres,
        standby_on_close=config.standby,
    )
    profile = own_table(config) or lens_model("optotune")
    return IccLens(measured(settings, profile), clock, profile=profile)


def own_table(config: LensDriverConfig) -> LensProfile | None:
    """The table of this very lens; ``None``: none was given, so the lens has no map.

    The models that have a name are of other lenses.
    """
    return None if config.profile in PROFILES else lens_model(config.profile)


def measured(settings: Settings, profile: LensProfile | None) -> Settings:
    """The settings with the settling time that a table measured, if it did."""
    if isinstance(profile, TableLens) and profile.settle_s is not None:
        return replace(settings, settle_s=profile.settle_s)
    return settings
