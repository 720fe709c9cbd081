"""A^L with a policy that has a bug."""

from __future__ import annotations

import sys

from dasha_ros.nodes import low_level_agent
from dasha_ros.policies.policy import FocusDecision
from dasha_ros.policies.registry import register_focus_policy


class BrokenPolicy:
    """Moves the lens once, then fails."""

    name = "broken"

    def reset(self, task: object) -> None:
        """Begin with the move."""
        self._moved = False

    def act(self, percept: object) -> FocusDecision:
        """Move, then fail."""
        if self._moved:
            raise ZeroDivisionError("the policy divided by nothing")
        self._moved = True
        return FocusDecision(60.0)


register_focus_policy("broken", BrokenPolicy)

if __name__ == "__main__":
    low_level_agent.main(sys.argv)
