"""Fixtures for the tests of the emulators."""

from __future__ import annotations

from pathlib import Path

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep SIGALRM for pylon's emulator, which times exposures with it; pytest-timeout would use it."""
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.timeout(120, method="thread"))
