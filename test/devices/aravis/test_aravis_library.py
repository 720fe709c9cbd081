"""Where the library comes from: an environment finds the distribution's PyGObject, and nothing else there."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from unittest import mock

import pytest

from dasha_ros.devices.aravis import library
from dasha_ros.devices.aravis.discovery import list_if_installed
from dasha_ros.doctor import devices
from dasha_ros.doctor.finding import Verdict
from dasha_ros.system.extras import ExtraMissing

FITS, OTHER = f"_gi{EXTENSION_SUFFIXES[0]}", "_gi.cpython-27-pdp11.so"
INIT = (
    "made_of = {!r}\ndef require_version(name, version):\n    assert (name, version) == ('Aravis', '0.8')\n"
)


class Machine:
    """A machine with two places for packages, neither of which has a ``gi`` yet."""

    def __init__(self, folder: Path) -> None:
        self.environment, self.distribution = folder / "site-packages", folder / "dist-packages"
        for place in (self.environment, self.distribution):
            place.mkdir()
        (self.distribution / "neighbour_of_gi.py").write_text("")

    @staticmethod
    def install(place: Path, compiled: str = FITS, init: str = INIT) -> None:
        (place / "gi" / "repository").mkdir(parents=True)
        (place / "gi" / compiled).write_bytes(b"")
        (place / "gi" / "__init__.py").write_text(init.format(place.name))
        (place / "gi" / "repository" / "__init__.py").write_text(f"Aravis = 'Aravis of {place.name}'\n")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    made = Machine(tmp_path)
    monkeypatch.setattr(library, "DIST_PACKAGES", made.distribution)
    others = [place for place in sys.path if not (Path(place) / "gi").is_dir()]
    monkeypatch.setattr(sys, "path", [str(made.environment), *others])
    with mock.patch.dict(sys.modules):
        for name in [name for name in sys.modules if name.partition(".")[0] == "gi"]:
            del sys.modules[name]
        library.aravis.cache_clear()
        yield made
    library.aravis.cache_clear()


def test_a_virtual_environment_takes_gi_from_the_distribution_and_nothing_else(machine: Machine) -> None:
    machine.install(machine.distribution)
    asked, path = list(sys.meta_path), list(sys.path)
    assert library.aravis() == "Aravis of dist-packages"
    assert sys.modules["gi"].made_of == "dist-packages"
    assert (sys.meta_path, sys.path) == (asked, path)
    with pytest.raises(ModuleNotFoundError):
        import neighbour_of_gi  # noqa: F401


def test_the_environments_own_gi_comes_first(machine: Machine) -> None:
    machine.install(machine.distribution)
    machine.install(machine.environment)
    assert library.aravis() == "Aravis of site-packages"


def test_where_it_is_missing_a_sentence_says_how_to_install_it(machine: Machine) -> None:
    sentence = r"needs PyGObject and Aravis: sudo apt install python3-gi gir1\.2-aravis-0\.8$"
    with pytest.raises(ExtraMissing, match=sentence):
        library.aravis()
    assert list_if_installed() == []
    (finding,) = devices.genicam()
    assert finding.verdict is Verdict.OPTIONAL
    assert finding.advice == library.why_missing()


def test_a_gi_of_another_python_is_not_loaded_and_told(machine: Machine) -> None:
    machine.install(machine.distribution, compiled=OTHER, init="raise AssertionError('it was loaded')")
    with pytest.raises(
        ExtraMissing, match=rf"not made for Python 3\.\d+\.\d+.* \({OTHER} in .*: make the virtual"
    ):
        library.aravis()


def test_a_gi_that_does_not_load_is_told_and_not_kept(machine: Machine) -> None:
    machine.install(machine.distribution, init="raise ImportError('libgirepository is away')")
    asked = list(sys.meta_path)
    with pytest.raises(
        ExtraMissing, match=r"needs Aravis 0\.8 \(libgirepository is away\): sudo apt install"
    ):
        library.aravis()
    assert "gi" not in sys.modules
    assert sys.meta_path == asked


def test_the_distributions_own_gi_is_loaded_here() -> None:
    folder = library.DIST_PACKAGES / "gi"
    if not any((folder / f"_gi{suffix}").is_file() for suffix in EXTENSION_SUFFIXES):
        pytest.skip(
            "no PyGObject of the distribution for this Python: apt install python3-gi gir1.2-aravis-0.8"
        )
    program = (
        "import sys\nfrom dasha_ros.devices.aravis.library import DIST_PACKAGES, why_missing\n"
        "if missing := why_missing(): sys.exit(missing)\n"
        "here = [n for n, m in sys.modules.items() if str(DIST_PACKAGES) in str(m)]\n"
        "print({name.partition('.')[0] for name in here})\n"
    )
    # As in a user's shell; -E: whatever PYTHONPATH the tests have.
    said = subprocess.run([sys.executable, "-E", "-c", program], capture_output=True, text=True, check=False)
    if "Namespace Aravis not available" in said.stderr:
        pytest.skip("Aravis, for Python: apt install gir1.2-aravis-0.8")
    assert (said.returncode, said.stdout) == (0, "{'gi'}\n"), said.stderr
