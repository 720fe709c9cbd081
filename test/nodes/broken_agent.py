"""A^L with a policy that has a bug."""

from __future__ import annotations

import sys

from dasha_ros.agents.registry import register_focus_policy
from dasha_ros.nodes import low_level_agent


class BrokenPolicy:
    """Fails in the middle of an episode."""

    name = "broken"

    def reset(self, task: object) -> None:
        """Nothing to forget."""

    def act(self, percept: object) -> object:
        """Fail."""
        raise ZeroDivisionError("the policy divided by nothing")


register_focus_policy("broken", BrokenPolicy)

if __name__ == "__main__":
    low_level_agent.main(sys.argv)
