"""What the tests of perception share."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from dasha_ros.assets.catalogue import AssetMissing, asset

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def fetched():
    """Path of a fetched or converted file; the test is skipped where it is missing."""

    def find(name: str) -> Path:
        try:
            return asset(name)
        except AssetMissing as error:
            pytest.skip(str(error))

    return find
