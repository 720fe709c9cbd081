"""Which identity a process has where ROS 2's security (SROS 2) is on."""

from __future__ import annotations

import os
from collections.abc import Mapping


def enclave_arguments(enclave: str, environ: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """The arguments after ``--ros-args`` that give a process its enclave; empty where security is off.

    ``config/security/policy.xml`` says what each enclave may do. The user's ``ROS_SECURITY_ENCLAVE_OVERRIDE``
    wins over these arguments, as everywhere in ROS.

    Args:
        enclave: Its path, such as ``/dasha/camera_driver``.
        environ: The user's environment; ``ROS_SECURITY_ENABLE`` is read as rcl reads it.
    """
    return ("--enclave", enclave) if environ.get("ROS_SECURITY_ENABLE") == "true" else ()
