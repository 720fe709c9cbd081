"""A missing package is named, with the command that installs it."""

from __future__ import annotations

import pytest

from dasha_ros.system import extras
from dasha_ros.system.extras import ExtraMissing, require


def test_a_checkout_installs_into_its_own_environment() -> None:
    with pytest.raises(
        ExtraMissing,
        match=r"^a Basler camera needs pylibs, which is not installed: run \./scripts/setup --hardware$",
    ):
        require("hardware", "a Basler camera", "pylibs", "json")


def test_an_installed_package_takes_them_from_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "checkout_dir", lambda: None)
    with pytest.raises(
        ExtraMissing, match=r"needs pytorches and gyms, which are not installed: pip install torch "
    ):
        require("torch", "learning", "pytorches", "gyms")


def test_installed_modules_raise_nothing() -> None:
    require("torch", "anything", "json", "pathlib")
