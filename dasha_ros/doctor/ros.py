"""Checks ROS: rclpy, the built messages, the middleware, discovery and shared memory."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from dasha_ros.bringup.environment import domain_trouble
from dasha_ros.doctor.finding import Finding, Verdict, judged
from dasha_ros.doctor.software import installed_version, is_installed
from dasha_ros.system.paths import checkout_dir, config_dir
from dasha_ros.system.shared_memory import FAST_DDS, SHARED_MEMORY, files_of_fast_dds

SHARED_MEMORY_NEEDED = 600 << 20
"""Bytes for the graph's nodes: a segment of 64 MiB for each of them, and one for a tool that looks on."""


def ros(environ: Mapping[str, str]) -> Iterator[Finding]:
    """rclpy, this package's messages, and the middleware with its profile."""
    checkout = checkout_dir()
    advice = f"run {checkout}/scripts/setup" if checkout else "source your workspace's install/setup.bash"
    rclpy = is_installed("rclpy")
    version = installed_version("ros-rclpy", "rclpy")
    yield judged("ros", "rclpy", rclpy, version or "found" if rclpy else "not found", advice)
    for module in ("dasha_ros.msg", "dasha_ros.action"):
        built = is_installed(module)
        yield judged("ros", module, built, "built" if built else "not built", advice)
    rmw = environ.get("RMW_IMPLEMENTATION") or "rmw_fastrtps_cpp"
    advice = "the shipped shared-memory profile is for rmw_fastrtps_cpp"
    yield judged("ros", "middleware", rmw == "rmw_fastrtps_cpp", rmw, advice, otherwise=Verdict.OPTIONAL)
    names = ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE")
    profile = Path(next(filter(None, map(environ.get, names)), None) or config_dir() / "fastdds.xml")
    advice = f"no such file; correct or unset {' and '.join(names)}"
    yield judged("ros", "profile", profile.is_file(), str(profile), advice)


def discovery(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Which other processes and machines the graph can discover."""
    domain = environ.get("ROS_DOMAIN_ID") or "0 (default)"
    trouble = domain_trouble(environ)
    yield judged("discovery", "ROS_DOMAIN_ID", not trouble, domain, trouble)
    scope = environ.get("ROS_AUTOMATIC_DISCOVERY_RANGE") or "LOCALHOST (default of dasha_ros)"
    yield judged("discovery", "ROS_AUTOMATIC_DISCOVERY_RANGE", True, scope)
    if localhost_only := environ.get("ROS_LOCALHOST_ONLY"):
        advice = "it overrides ROS_AUTOMATIC_DISCOVERY_RANGE, which replaced it: unset it"
        yield judged(
            "discovery", "ROS_LOCALHOST_ONLY", False, localhost_only, advice, otherwise=Verdict.OPTIONAL
        )


def shared_memory() -> Iterator[Finding]:
    """Shared memory for the images: how much is free, and how much ROS uses."""
    usage = shutil.disk_usage(SHARED_MEMORY)
    free, total, needed = usage.free >> 20, usage.total >> 20, SHARED_MEMORY_NEEDED >> 20
    advice = f"images need {needed} MiB of it; start a container with --shm-size=1g"
    yield judged("shared memory", str(SHARED_MEMORY), free >= needed, f"{free} of {total} MiB free", advice)
    if files := files_of_fast_dds(SHARED_MEMORY):
        detail = f"files of Fast DDS: {len(files)}, {sum(files.values()) >> 20} MiB"
        names = " ".join(f"{SHARED_MEMORY}/{prefix}*" for prefix in FAST_DDS)
        advice = f"if no ROS process is running, killed ones left them: rm -f {names}"
        yield Finding("shared memory", "in use", Verdict.OK, detail, advice)
