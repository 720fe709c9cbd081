"""The ROS domain that a graph or a command is asked to join."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

HIGHEST_DOMAIN = 232
"""A domain's number decides its ports: those of a higher one do not exist."""
SAFE_DOMAIN = 101
"""Ports of higher domains are among those that Linux lends to other programs."""


def domain_trouble(environ: Mapping[str, str] = os.environ) -> str:
    """What is wrong with ``ROS_DOMAIN_ID``, as a sentence; empty when all is well."""
    text = environ.get("ROS_DOMAIN_ID", "")
    if not text or (re.fullmatch(r"[0-9]{1,3}", text) and int(text) <= HIGHEST_DOMAIN):
        return ""
    return (
        f"ROS_DOMAIN_ID is {text!r}: set it to a number from 0 to {HIGHEST_DOMAIN} "
        f"(0 to {SAFE_DOMAIN} is safe: beyond, other programs may have its ports), or unset it"
    )
