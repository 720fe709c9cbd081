"""What ./scripts/setup --system installs: packages of Debian and Ubuntu without which some tests skip."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time

from setup_pip import SetupError, Ticker, say, told

PACKAGES = {
    "aravis-tools": "a GenICam camera in software: tests of the back end aravis",
    "gir1.2-aravis-0.8": "Aravis as Python calls it: the same tests, and GenICam cameras themselves",
    "python3-gi": "PyGObject, through which Python calls Aravis",
    "indi-bin": "an INDI server and focusers in software: tests of the back end indi",
    "chromium": "a browser without a screen: tests of the page of `dasha watch`",
}
"""Each package, and who needs it.

Two things that some tests could use are left out. What the guest of ./scripts/test-webcam needs would add
three to four minutes to every run on two cores; npm, which one test asks, brings almost 400 other packages.
"""
PATIENCE = (
    "-o", "DPkg::Lock::Timeout=120",
    "-o", "Acquire::Retries=1",
    "-o", "Acquire::http::Timeout=20",
)  # fmt: skip
"""How long apt-get waits [s] for another apt-get, and for a mirror that is away."""
STEPS = ("Get:", "Unpacking ", "Setting up ")
"""How the lines of apt-get begin that tell a person how far it is."""


def install_system() -> None:
    """Install the packages of the list that are missing, and say which and why.

    Raises:
        SetupError: There is no apt-get, this user may not install packages, or apt-get failed.
    """
    started = time.monotonic()
    if not shutil.which("apt-get"):
        raise SetupError(
            "--system needs apt-get, which Debian and Ubuntu have. Elsewhere, look for what is like these "
            f"packages; without them tests skip, and nothing else:\n{listed([*PACKAGES])}"
        )
    there = installed()
    if missing := [name for name in PACKAGES if name not in there]:
        apt_get("update")
        offered = candidates(missing)
        if absent := [name for name in missing if name not in offered]:
            say(f"this system does not offer (tests will skip):\n{listed(absent)}")
        if offered:
            say(f"==> installing packages of the system:\n{listed(offered)}")
            apt_get("install", "--yes", "--no-install-recommends", *offered)
    say(f"ready: the packages of the system ({time.monotonic() - started:.1f} s)")


def listed(names: list[str]) -> str:
    """The packages for people, one a line, each with who needs it."""
    return "\n".join(f"      {name:18} {PACKAGES[name]}" for name in names)


def installed() -> set[str]:
    """The packages of the list that are installed."""
    ask = ["dpkg-query", "--show", "--showformat", "${Package} ${db:Status-Status}\\n", *PACKAGES]
    lines = subprocess.run(ask, capture_output=True, text=True, check=False).stdout.splitlines()
    return {line.split()[0] for line in lines if line.endswith(" installed")}


def candidates(names: list[str]) -> list[str]:
    """Those of the packages that apt-get can install; Ubuntu, for example, has no Chromium."""
    ask = ["apt-cache", "madison", *names]
    lines = subprocess.run(ask, capture_output=True, text=True, check=False).stdout.splitlines()
    known = {line.partition("|")[0].strip() for line in lines}
    return [name for name in names if name in known]


def apt_get(*arguments: str) -> None:
    """Run apt-get as root and show its progress.

    Raises:
        SetupError: It failed; the message holds its errors.
    """
    # Through env, because sudo does not hand variables on.
    command = [*as_root(), "env", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C.UTF-8", "apt-get", *PATIENCE]
    ticker, said = Ticker(), []
    with subprocess.Popen(
        [*command, *arguments], text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace"
    ) as apt:
        assert apt.stdout is not None
        for line in apt.stdout:
            said.append(line.rstrip())
            if line.startswith(STEPS):
                ticker.tick(line.strip())
    ticker.done()
    if apt.returncode:
        errors = [line for line in said if line.startswith(("E: ", "W: "))] or said
        raise SetupError(
            f"apt-get {arguments[0]} failed:\n  " + "\n  ".join(errors[-4:]) + "\n"
            "Without these packages some tests skip; nothing else needs them."
        )


def as_root() -> list[str]:
    """What makes a command root's; nothing for root."""
    if os.geteuid() == 0:
        return []
    if not shutil.which("sudo"):
        raise SetupError(
            "--system installs packages, which only root may do, and there is no sudo: run it as root"
        )
    return ["sudo"]


def main(arguments: list[str]) -> int:
    """Install, or say why not."""
    try:
        if arguments != ["--system"]:
            raise SetupError(
                "--system goes alone: ./scripts/setup --system, and other options in another call"
            )
        install_system()
    except (SetupError, OSError) as error:
        say(f"error: {told(error)}")
        return 1
    except KeyboardInterrupt:
        say("\ninterrupted; run it again to go on")
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
