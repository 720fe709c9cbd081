"""The node that trains: it plays random episodes forever, each with a world, a start and a goal."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from dasha_ros.action import AdjustExposure, AdjustFocus, FocusOnObject
from dasha_ros.config import TrainerConfig
from dasha_ros.optics.exposure_table import exposure_table
from dasha_ros.optics.lens_info import LensInfo
from dasha_ros.policies.outcome import ErrorCode
from dasha_ros.ros.actuation.actuators import Actuators
from dasha_ros.ros.actuation.episode_reset import EpisodeReset
from dasha_ros.ros.agents.agent_node import agent_executor
from dasha_ros.ros.goals.agent_client import AgentClient, AgentLostError, GoalRefusedError
from dasha_ros.ros.goals.trainer_pause import EpisodeTurns
from dasha_ros.ros.node.node import DashaNode
from dasha_ros.ros.node.run import run as run_node
from dasha_ros.system import shutdown_limits
from dasha_ros.twin.curriculum import Curriculum, Episode
from dasha_ros.twin.scene import load_scene, scene_names

_ANSWER_S = shutdown_limits.SERVER_GOAL_ENDS_S
"""How long a node may be silent before the episode is lost [s]; training goes on."""
_PAUSE_S = 1.0
"""Pause after an episode that could not be played [s]. It doubles with each further one in a row."""
_LONGEST_PAUSE_S = 60.0
_ACTIONS = {
    "joint": (FocusOnObject, "focus_on_object", "focus_server"),
    "exposure": (AdjustExposure, "adjust_exposure", "high_level_agent"),
    "focus": (AdjustFocus, "adjust_focus", "low_level_agent"),
}


class Trainer(DashaNode[TrainerConfig]):
    """Sets the twin's world and the start of each episode, and sends goals to the focus server.

    It is an ordinary client, with two differences: its goals are background goals, from which learning
    agents learn, and it waits while the focus server works on another client's goal.
    """

    config_model = TrainerConfig

    def __init__(self) -> None:
        super().__init__("trainer")
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()
        self._actuators: Actuators | None = None
        self._episodes: Iterator[Episode] | None = None

    def configure(self) -> None:
        """Read the scenes and join the graph."""
        config = self.config
        self._scenes = {name: load_scene(name) for name in config.scenes or scene_names()}
        self._ranges, self._episodes = _ranges(config), None
        self._actuators = Actuators(self)
        self.keep(self._actuators, self._actuators.close)
        self._reset = EpisodeReset(self, self._actuators, self._until)
        self.keep(self._reset, self._reset.close)
        self._goal_client = AgentClient(
            self, *_ACTIONS[config.task], ends_s=shutdown_limits.SERVER_GOAL_ENDS_S
        )
        self.keep(self._goal_client, self._goal_client.destroy)
        self._turns = EpisodeTurns(self)
        self.keep(self._turns, self._turns.close)

    def reconfigure(self, config: TrainerConfig) -> None:
        """Use changed ranges from the next goal on, with a new sequence of draws."""
        if self._actuators is not None and _ranges(config) != self._ranges:
            self._ranges, self._episodes = _ranges(config), None

    def _next_episode(self) -> Episode:
        """Draw an episode. The first time, wait for the lens, whose range the starts are drawn from."""
        assert self._actuators is not None
        actuators = self._actuators
        if self._episodes is None:
            self._until(
                lambda: actuators.lens_info is not None,
                "lens_driver has not published lens/info",
            )
            assert actuators.lens_info is not None
            self._episodes = self._draws(actuators.lens_info)
        return next(self._episodes)

    def _draws(self, lens: LensInfo) -> Iterator[Episode]:
        config = self.config
        curriculum = Curriculum(
            self._scenes,
            exposure_table(),
            (lens.position_min, lens.position_max),
            seed=config.seed,
            schedule=config.schedule,
            **self._ranges,
        )
        return iter(curriculum)

    def activate(self) -> None:
        """Start training.

        Raises:
            RuntimeError: The goal of the last activation has not ended yet.
        """
        if self._thread is not None and self._thread.is_alive():
            # Two threads would change the world during each other's goals.
            raise RuntimeError("the last goal has not ended yet: activate again in a few seconds")
        self._stop.clear()
        self.health.set_activity("setting up an episode")
        self._thread = threading.Thread(target=self._train, name="trainer", daemon=True)
        self._thread.start()

    def deactivate(self) -> None:
        """End the current goal and pause."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(shutdown_limits.TRAINER_STOPS_S)

    def cleanup(self) -> None:
        """Forget what moves lens and exposure."""
        self._actuators = None

    def _interrupted(self) -> ErrorCode | None:
        return ErrorCode.SHUTDOWN if self._stop.is_set() or not self.context.ok() else None

    def _train(self) -> None:
        played, pause_s = 0, _PAUSE_S
        while not self._interrupted():
            if 0 < self.config.episodes <= played:
                self.health.set_activity("done")
                return
            try:
                with self._turns.turn() as is_mine:
                    if is_mine:
                        played += self._play(self._next_episode())
                        pause_s = _PAUSE_S
                if not is_mine:
                    self._wait_for_turn()
            except Exception as error:  # Whatever goes wrong in one episode, the next one begins.
                if not self._interrupted():
                    failed = self._report_failure(error)
                    self._stop.wait(pause_s)
                    pause_s = min(2.0 * pause_s, _LONGEST_PAUSE_S) if failed else _PAUSE_S

    def _wait_for_turn(self) -> None:
        last = ""
        while (reason := self._turns.reason) and not self._interrupted():
            if reason != last:
                self.health.count("pauses")
                self.health.set_activity(reason)
                last = reason
            self._turns.wait()

    def _report_failure(self, error: Exception) -> bool:
        """Report what went wrong; returns whether anything did."""
        if isinstance(error, GoalRefusedError) and self._turns.reason:
            return False  # The activity will say what it waits for.
        if isinstance(error, AgentLostError):
            self.health.count("lost_episodes")
            self.health.warn("episode", f"episode lost: {error}")
            return True
        self.health.count("failed_episodes")
        self.health.error(
            "episode",
            f"episode failed ({type(error).__name__}: {error}); the next one begins. "
            "If it happens again, see `dasha doctor` and the log of the node that is named",
        )
        return True

    def _play(self, episode: Episode) -> bool:
        """Play an episode; return whether it ended by itself and was not preempted.

        Raises:
            AgentLostError: A part of the graph does not work, so that the next episode would end as soon.
        """
        self._reset.set_world(episode.world)
        self._reset.set_start(episode.exposure_us, episode.position)
        self.health.show(
            "episode",
            lambda: {
                "scene": episode.world.scene,
                "illuminance_lx": episode.world.illuminance_lx,
                "label": episode.label,
            },
        )
        self.health.set_activity(f"looking for {episode.label} in {episode.world.scene}")
        goal = self._goal(episode)
        result = self._goal_client.run(goal, lambda _: None, self._interrupted, _ANSWER_S)
        code = ErrorCode(result.error_code)
        if ErrorCode.CAMERA_LOST <= code < ErrorCode.CANCELED or code == ErrorCode.INTERNAL:
            raise AgentLostError(result.error_msg)
        ended = code.name.lower()
        self.health.count("episodes")
        self.health.count(f"ended_{ended}")
        self.health.clear("episode")
        return code != ErrorCode.PREEMPTED

    def _goal(self, episode: Episode) -> Any:
        if self.config.task == "exposure":
            return AdjustExposure.Goal(background=True)
        kind = FocusOnObject if self.config.task == "joint" else AdjustFocus
        return kind.Goal(labels=[episode.label], max_steps=self.config.max_steps, background=True)

    def _until(self, condition: Callable[[], bool], trouble: str) -> None:
        deadline = time.monotonic() + _ANSWER_S
        while not condition():
            if time.monotonic() > deadline or self._interrupted():
                raise AgentLostError(trouble)
            self._stop.wait(0.01)


def _ranges(config: TrainerConfig) -> dict[str, Any]:
    """The ranges of the draws that may change while the node runs."""
    return {
        "illuminance_lx": (config.illuminance_min_lx, config.illuminance_max_lx),
        "distance_factor": config.distance_factor,
        "episodes_per_world": config.episodes_per_world,
    }


def main(args: Sequence[str] | None = None) -> None:
    """Run the trainer."""
    run_node(Trainer, args, agent_executor)


if __name__ == "__main__":
    main()
