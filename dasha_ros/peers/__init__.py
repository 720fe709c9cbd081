"""Floor 3. The rivals, behind the same policy protocol as the agents.

Importing this package adds them to the registry of policies.
"""

from dasha_ros.agents.policy import FocusPolicy
from dasha_ros.agents.registry import register_focus_policy


def _contrast() -> FocusPolicy:
    from dasha_ros.peers.contrast import ContrastFocus

    return ContrastFocus()


register_focus_policy("contrast", _contrast)
