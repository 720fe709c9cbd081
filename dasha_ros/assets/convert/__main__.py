"""Command line: ``python -m dasha_ros.assets.convert [FOLDER]``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from dasha_ros.assets.catalogue import AssetMissing, assets_dir
from dasha_ros.assets.convert import convert_all
from dasha_ros.perception.errors import ModelError


def main() -> int:
    """Convert the models in a folder; exit code 1 with a message if that fails."""
    parser = argparse.ArgumentParser(prog="python -m dasha_ros.assets.convert", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, help="the assets folder")
    try:
        convert_all(parser.parse_args().folder or assets_dir(), print)
    except (AssetMissing, ModelError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
