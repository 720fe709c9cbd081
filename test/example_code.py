"""What tests of the code in ``examples/`` share: each example is a file by itself, not a package."""

from __future__ import annotations

import importlib.util
import sys
from functools import cache
from pathlib import Path
from types import ModuleType

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


@cache
def example(path: str) -> ModuleType:
    """An example as a module, by its path below ``examples/`` without the suffix."""
    name = f"example_{path.replace('/', '_')}"
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{path}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
