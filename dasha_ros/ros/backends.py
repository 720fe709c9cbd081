"""Back ends of the driver nodes by name. Hardware libraries are imported only when asked for."""

from __future__ import annotations
