"""A^L with policies that have a bug."""

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
            self._fail()
        self._moved = True
        return FocusDecision(60.0)

    def _fail(self) -> None:
        raise ZeroDivisionError("the policy divided by nothing")


class ExitingPolicy(BrokenPolicy):
    """Moves the lens once, then ends like a script."""

    name = "exiting"

    def _fail(self) -> None:
        sys.exit(3)


register_focus_policy("broken", BrokenPolicy)
register_focus_policy("exiting", ExitingPolicy)

if __name__ == "__main__":
    low_level_agent.main(sys.argv)
