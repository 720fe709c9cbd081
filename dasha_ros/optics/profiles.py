"""Lens models by name or file: what the ``profile`` parameters and options of the command line take."""

from __future__ import annotations

from pathlib import Path

from dasha_ros.files.naming import expanded
from dasha_ros.optics.lens import LensProfile
from dasha_ros.optics.lens_table import load_table
from dasha_ros.optics.optotune import TunableLens
from dasha_ros.optics.varioptic import PaperLens, PhysicalLens

PROFILES: dict[str, type[PhysicalLens] | type[PaperLens] | type[TunableLens]] = {
    "physical": PhysicalLens,
    "paper": PaperLens,
    "optotune": TunableLens,
}
"""``physical``: a liquid lens adds power to a lens that stands still; the default. ``paper``: the paper's
map, read as a moving thin lens. ``optotune``: a lens that takes dioptres."""


def lens_model(name_or_path: str | Path = "physical", **overrides: float) -> LensProfile:
    """A lens model by the name of its profile, or from a YAML table of measured positions.

    Args:
        name_or_path: ``physical``, ``paper``, ``optotune``, or the path of a table (see `lens_table`).
        **overrides: Numbers of the profile to change, such as ``f_number=4.0``.

    Raises:
        ValueError: No such profile, unknown or impossible number, or a table that can't be used.
    """
    profile = PROFILES.get(str(name_or_path))
    if profile is None:
        return load_table(expanded(name_or_path, ValueError), **overrides)
    allowed = sorted(set(profile.__dataclass_fields__) - {"name", "unit", "follows"})
    if unknown := sorted(set(overrides) - set(allowed)):
        raise ValueError(
            f"lens profile {profile.__name__} has no {', '.join(unknown)}; it has {', '.join(allowed)}"
        )
    return profile(**overrides)  # type: ignore[arg-type]  # names are checked above, all are floats
