"""Everything that ``dasha doctor`` checks without ROS.

It needs no package, so that it runs where an installation is incomplete. The command itself asks over ROS
whether the nodes answer.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping

from dasha_ros.doctor import devices, ros, software
from dasha_ros.doctor.finding import Finding, Verdict


def examine(environ: Mapping[str, str] = os.environ) -> list[Finding]:
    """Run every check and return the findings by topic. A check that fails is a finding, too."""
    checks: dict[str, Callable[[], Iterator[Finding]]] = {
        "python": software.python,
        "ros": lambda: ros.ros(environ),
        "discovery": lambda: ros.discovery(environ),
        "shared memory": ros.shared_memory,
        "compiler": software.compiler,
        "assets": software.assets,
        "packages": software.packages,
        "serial ports": devices.serial_ports,
        "cameras": devices.cameras,
        "GenICam cameras": devices.genicam,
        "webcams": devices.webcams,
        "focusers": devices.indi_server,
    }
    findings: list[Finding] = []
    for topic, run in checks.items():
        try:
            findings += run()
        except Exception as error:
            findings.append(Finding(topic, "examination", Verdict.PROBLEM, f"failed: {error!r}"))
    return findings
