"""Users' files are read in few places, which turn every library's errors into sentences."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "dasha_ros"

DOORS = {
    "cv2.imread": (),
    "cv2.imdecode": ("files/jpeg.py", "files/png.py"),
    "Image.open": ("files/pictures.py",),
    "np.load": ("files/arrays.py",),
    "np.loadtxt": (),
    "np.genfromtxt": (),
    "np.fromfile": (),
    "pickle.load": (),
    "pickle.loads": (
        "learning/training/checkpoint.py",
        "learning/envs/vector.py",
    ),  # the user's own run, checked by its hash
    "yaml.load": ("files/documents.py",),  # plain values only, and no key twice
    "yaml.safe_load": (
        "config/__init__.py",
        "config/overrides.py",
        "cli/graph/node_parameters.py",
    ),  # also arguments
    "json.load": (),
    "torch.load": ("perception/models/torch.py",),
}
"""Calls that read untrusted files, and the modules that may make them."""


def calls(tree: ast.AST) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value
            if isinstance(owner, ast.Name):
                yield f"{owner.id}.{node.func.attr}", node.lineno


@pytest.mark.parametrize("call", DOORS)
def test_only_the_named_modules_read_untrusted_files(call: str) -> None:
    wrong = [
        f"{path.relative_to(PACKAGE)}:{line}"
        for path in sorted(PACKAGE.rglob("*.py"))
        if path.relative_to(PACKAGE).as_posix() not in DOORS[call]
        for name, line in calls(ast.parse(path.read_text(encoding="utf-8")))
        if name == call
    ]
    assert not wrong, f"{call}: use dasha_ros.files"
