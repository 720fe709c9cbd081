"""The folder with which ./scripts/setup needs no network: packages, photographs, models, and their hashes.

``wheels/`` holds the locked packages for one Python, ``assets/`` what the fetcher would fetch, and
``wheelhouse.json``, which is written last, says what is there.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from setup_pip import SetupError, Ticker, say

DESCRIPTION = "wheelhouse.json"
MODULE = "dasha_ros.assets.offline"


class Wheelhouse:
    """A folder for set-up without a network."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.expanduser().resolve()
        self.wheels, self.assets = self.folder / "wheels", self.folder / "assets"
        self._again = f"./scripts/setup --wheelhouse {self.folder} --wheelhouse-build"

    @property
    def is_new(self) -> bool:
        """Whether nothing is there yet that could be used.

        Raises:
            SetupError: It is no folder.
        """
        if self.folder.exists() and not self.folder.is_dir():
            raise SetupError(f"{self.folder} is no folder: name one that is empty, or a new one")
        return not self.folder.exists() or not any(self.folder.iterdir())

    def variables(self) -> dict[str, str]:
        """What makes pip, and whatever calls it, use this folder and nothing else."""
        return {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": self.wheels.as_uri(), "PIP_CONFIG_FILE": "/dev/null"}

    def collect(self, python: Path, locks: Mapping[str, Path], environment: dict[str, str]) -> None:
        """Build a wheel of every pin. What is there already is kept; a package without a wheel is compiled.

        Raises:
            SetupError: The folder holds other things, or pip failed.
        """
        if not self.is_new and not self.wheels.is_dir():
            raise SetupError(f"{self.folder} holds other files: name a folder that is empty, or a new one")
        self.wheels.mkdir(parents=True, exist_ok=True)
        (self.folder / DESCRIPTION).unlink(missing_ok=True)
        say(f"==> collecting packages in {self.wheels}")
        command = [str(python), "-m", "pip", "wheel", "--no-deps", "--disable-pip-version-check"]
        command += ["--progress-bar", "off", "--wheel-dir", str(self.wheels)]
        command += ["--find-links", self.wheels.as_uri()]
        for lock in locks.values():
            command += ["--requirement", str(lock)]
        ticker, said = Ticker(), []
        with subprocess.Popen(
            command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        ) as pip:
            assert pip.stdout is not None
            for line in pip.stdout:
                said.append(line.rstrip())
                ticker.tick(line.strip())
        ticker.done()
        if pip.returncode:
            errors = [line for line in said if line.startswith("ERROR")] or said[-5:]
            raise SetupError(
                "pip could not collect the pinned packages:\n  "
                + "\n  ".join(errors)
                + "\nBuilding a wheelhouse needs a network. Run it again: what is collected is kept."
            )

    def close(self, python: Path, locks: Mapping[str, Path], facts: Mapping[str, str], **run: Any) -> None:
        """Copy the photographs and models, and write down what is there.

        Args:
            python: The Python of the virtual environment, which has everything installed.
            locks: The lock file of each layer.
            facts: What the packages fit: the version of Python, and the ROS distribution.
            run: Working folder and environment of a child process.

        Raises:
            SetupError: A photograph or a model is missing.
        """
        if subprocess.run(
            [str(python), "-m", MODULE, "save", str(self.assets)], check=False, **run
        ).returncode:
            raise SetupError("the photographs and models could not be copied (see above)")
        files = self._files()
        content = {
            **facts,
            "layers": {layer: sha256(lock) for layer, lock in locks.items()},
            "files": {name: sha256(path) for name, path in files.items()},
        }
        (self.folder / DESCRIPTION).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        size = sum(path.stat().st_size for path in files.values())
        say(
            f"      {len(files)} files, {size / 1e6:,.0f} MB: copy {self.folder} to a machine without a "
            "network, beside a clone, and run the same there"
        )

    def check(self, locks: Mapping[str, Path], facts: Mapping[str, str]) -> None:
        """Refuse a folder that is for something else, incomplete, or changed since it was built.

        Raises:
            SetupError: It is; the message says which file and what to do.
        """
        content = self._described()
        for what, wanted in facts.items():
            if content.get(what) != wanted:
                raise SetupError(
                    f"the wheelhouse {self.folder} is for {what} {content.get(what)}, and this is {what} "
                    f"{wanted}: build one for it where there is a network ({self._again})"
                )
        layers = content["layers"]
        for layer, lock in locks.items():
            if layer not in layers:
                raise SetupError(
                    f"the wheelhouse {self.folder} lacks the packages of --{layer}: add them where there is "
                    f"a network ({self._again} --{layer})"
                )
            if layers[layer] != sha256(lock):
                raise SetupError(
                    f"the wheelhouse {self.folder} was built for another version of {lock.name}: build it "
                    f"again where there is a network ({self._again})"
                )
        say(f"==> checking {len(content['files'])} files of the wheelhouse")
        ticker = Ticker()
        for name, expected in content["files"].items():
            ticker.tick(name)
            path = self.folder / name
            if not path.is_file():
                raise SetupError(f"the wheelhouse lacks {path}: copy it again from where it was built")
            if sha256(path) != expected:
                raise SetupError(
                    f"{path} is not the file that the wheelhouse was built with (SHA-256 differs): copy it "
                    "again from where it was built, and do not install it"
                )
        ticker.done()
        if added := sorted(self._files().keys() - content["files"].keys()):
            raise SetupError(
                f"{self.folder / added[0]} was not there when the wheelhouse was built: remove it, because "
                "pip would take it"
            )

    def hand_over(self, python: Path, **run: Any) -> None:
        """Put the photographs and models where the fetcher would put them.

        Raises:
            SetupError: One could not be written, or is not what it should be.
        """
        if subprocess.run(
            [str(python), "-m", MODULE, "load", str(self.assets)], check=False, **run
        ).returncode:
            raise SetupError("the photographs and models could not be copied (see above)")

    def _described(self) -> dict[str, Any]:
        path = self.folder / DESCRIPTION
        if not path.is_file():
            why = (
                "is not finished" if self.wheels.is_dir() else "is no wheelhouse: there is no wheelhouse.json"
            )
            raise SetupError(f"{self.folder} {why}. Where there is a network: {self._again}")
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            names = [Path(name) for name in {**content["layers"], **content["files"]}]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SetupError(f"{path} is damaged: copy it again from where it was built") from error
        if outside := [name for name in names if name.is_absolute() or ".." in name.parts]:
            raise SetupError(
                f"{path} names {outside[0]}, which is outside: it may be hostile and is not used"
            )
        return dict(content)

    def _files(self) -> dict[str, Path]:
        found = [
            path for folder in (self.wheels, self.assets) for path in folder.rglob("*") if path.is_file()
        ]
        return {path.relative_to(self.folder).as_posix(): path for path in sorted(found)}


def sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file, read in blocks."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
