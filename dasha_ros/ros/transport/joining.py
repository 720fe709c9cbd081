"""Joining ROS: what it refuses, as one sentence for people."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from rclpy.impl.implementation_singleton import rclpy_implementation

from dasha_ros.config import ConfigError
from dasha_ros.files.errors import first_line
from dasha_ros.system.enclave import enclave_arguments


@contextmanager
def joining(what: str = "start") -> Iterator[None]:
    """Initialise ROS, or make a node, inside of it.

    Args:
        what: What ROS can't do if it refuses.

    Raises:
        ConfigError: ROS does not understand an argument, can't read a file that one names, or has no keys.
    """
    try:
        yield
    except (rclpy_implementation.RCLError, rclpy_implementation.UnknownROSArgsError) as error:
        # Each layer of ROS adds where in its sources it was.
        words = re.sub(r", at \S+:\d+", "", first_line(error, 400)).removeprefix("failed to initialize rcl: ")
        words = words.rstrip(".")
        if isinstance(error, rclpy_implementation.UnknownROSArgsError):
            words = f"it does not know {words}"
        elif enclave_arguments("/"):
            words += (
                ". ROS_SECURITY_ENABLE is true: then ROS_SECURITY_KEYSTORE must hold the keys of this "
                "namespace, which config/security/make_keystore.sh makes, and the middleware must have its "
                "security plugins"
            )
        raise ConfigError(f"ROS can't {what}: {words}") from None
