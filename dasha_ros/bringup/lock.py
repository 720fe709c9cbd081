"""Makes sure that there is only one graph for each user, ROS domain and namespace."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from dasha_ros.bringup.environment import runtime_dir
from dasha_ros.config import ConfigError


class GraphRunsAlreadyError(Exception):
    """Another graph has nodes of the same names: both would command the same devices."""


class GraphLock:
    """A file lock. The kernel releases it when the process ends, however it ends."""

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace
        self.path: Path = runtime_dir(namespace) / "graph.lock"
        self._handle: int | None = None

    def acquire(self) -> None:
        """Take the lock.

        Raises:
            GraphRunsAlreadyError: Another process holds it.
            ConfigError: The lock file can't be created.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(self.path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise ConfigError(
                f"can't create the lock file {self.path}: {error.strerror}. "
                "Set XDG_RUNTIME_DIR to a folder of your own"
            ) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.pread(handle, 32, 0).decode(errors="replace").strip()
            os.close(handle)
            who = f"{self._namespace}{f' (process {owner})' if owner else ''}"
            raise GraphRunsAlreadyError(
                f"a graph in the namespace {who} is already running: stop it, "
                "or use another --namespace or ROS_DOMAIN_ID"
            ) from None
        self._handle = handle
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Release the lock. The file stays, because another process may be waiting with it open."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None
