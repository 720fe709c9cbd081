"""Gives each test a ``ROS_DOMAIN_ID`` of its own."""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from dasha_ros.system.shared_memory import FAST_DDS, SHARED_MEMORY

_turn = itertools.count()


@contextlib.contextmanager
def free_domain() -> Iterator[int]:
    """A ``ROS_DOMAIN_ID`` from 1 to 100 that no other test of this machine uses now.

    A file lock holds it, so parallel workers and parallel test runs never meet,
    and the kernel frees it even when the test process is killed.
    A node that a test destroyed stays in its domain until Python collects it, so a domain
    in which somebody still listens is not free either. What killed processes left of its shared memory goes:
    Fast DDS opens a port that is there in another way than a new one.
    """
    start = os.getpid()
    for _ in range(100):
        # Another one each time: what an earlier test killed is still known in its own.
        domain = 1 + (start + next(_turn)) % 100
        path = Path(tempfile.gettempdir()) / f"dasha-test-domain-{os.getuid()}-{domain}.lock"
        with path.open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                continue
            if participants_ports(domain):
                continue
            if not remove_ports(domain):
                continue
            yield domain
            return
    raise RuntimeError("all 100 ROS domains are used by others on this machine")


def first_port(domain: int) -> int:
    """The first of a domain's 250 ports (DDSI-RTPS 2.3, section 9.6.1)."""
    return 7400 + 250 * domain


def participants_ports(domain: int) -> list[int]:
    """The UDP ports of a domain that some process of this machine listens on."""
    first = first_port(domain)
    ports = []
    for table in (Path("/proc/net/udp"), Path("/proc/net/udp6")):
        for line in table.read_text().splitlines()[1:] if table.exists() else ():
            ports.append(int(line.split()[1].rpartition(":")[2], 16))
    return sorted(port for port in ports if first <= port < first + 250)


def remove_ports(domain: int) -> bool:
    """Remove the ports in shared memory of a domain that nobody uses; false: one belongs to another user."""
    for number in range(first_port(domain), first_port(domain) + 250):
        for port in (f"{prefix}port{number}" for prefix in FAST_DDS):
            for name in (port, f"{port}_el", f"sem.{port}_mutex"):
                try:
                    (SHARED_MEMORY / name).unlink(missing_ok=True)
                except PermissionError:
                    return False
    return True


def ros_environment(domain: int) -> dict[str, str]:
    """The variables that keep a test's graph to itself."""
    return {
        "ROS_DOMAIN_ID": str(domain),
        "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
        "RMW_IMPLEMENTATION": "rmw_fastrtps_cpp",
        "PYTHONUNBUFFERED": "1",
    }
