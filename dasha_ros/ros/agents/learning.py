"""An agent that learns: PPO in a thread of the agent's process, one episode per goal."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from dasha_ros.config import AgentConfig
from dasha_ros.control.step import Step
from dasha_ros.files.errors import shown
from dasha_ros.files.locking import folder_locked
from dasha_ros.learning.training.online import POLICY, CheckpointError, NoMoreEpisodes, learn_online
from dasha_ros.learning.training.preset_models import Preset
from dasha_ros.learning.training.presets import load_preset, verdict_of
from dasha_ros.policies.learned.policy_file import PolicyFile, PolicyFileError, policy_to_learn_from
from dasha_ros.policies.policy import FocusTask
from dasha_ros.ros.actuation.ros_rig import RosRig
from dasha_ros.ros.agents.goal_episodes import EpisodeEnd, GoalEpisodes, GoalQueue
from dasha_ros.ros.goals.simple_action_server import ActiveGoal
from dasha_ros.ros.node.health import Health
from dasha_ros.system import shutdown_limits
from dasha_ros.system.folders import user_folder

Agent = Literal["exposure", "focus"]


class AgentLearning:
    """Runs the learner of one agent beside its action server.

    Args:
        agent: Which of the two agents.
        config: Preset, checkpoint folder, and policy to start from.
        rig: The rig over topics.
        task_of: Returns the task that a goal describes.
        report: Called with every step.
        health: The node's health.

    Raises:
        PresetError: There is no such preset.
        PolicyFileError: There is no policy to start from.
    """

    def __init__(
        self,
        agent: Agent,
        *,
        config: AgentConfig,
        rig: RosRig,
        task_of: Callable[[Any], FocusTask],
        report: Callable[[ActiveGoal, Step], None],
        health: Health,
    ) -> None:
        self._agent, self._rig, self._health = agent, rig, health
        self._preset: Preset = load_preset(config.preset)
        self._start_path = policy_to_learn_from(config.learn_from, self._preset.name, agent)
        self._start = PolicyFile.load(self._start_path, agent)
        self._folder = user_folder(config.checkpoint_dir) / f"{self._preset.name}-{agent}"
        self._fresh, self._seed = config.learn_fresh, config.learn_seed
        self._stop = threading.Event()
        self.queue = GoalQueue(task_of, self._stop)
        self._report = report
        self._thread: threading.Thread | None = None
        self._learned: PolicyFile | None = None
        """What the learner has learned so far, as its file should hold it."""

    def start(self) -> None:
        """Start learning, or continue from the last update.

        Raises:
            RuntimeError: The learner of the last activation has not ended yet.
        """
        if self._thread is not None and self._thread.is_alive():
            # Two learners would write the same checkpoint.
            raise RuntimeError("the learner has not ended its last step yet: activate again in a few seconds")
        self._stop.clear()
        # Its folder may have been emptied meanwhile; what goes on from there is told again.
        self._learned = None
        self._health.clear("learning")
        self.queue.open()
        self._rig.interrupted = self.queue.interrupted
        self._thread = threading.Thread(target=self._learn, name=f"learner {self._agent}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the current episode and keep what was learned."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(shutdown_limits.LEARNER_STOPS_S)

    def play(self, run: ActiveGoal) -> EpisodeEnd:
        """Let the learner play a goal. Blocks until its episode has ended."""
        return self.queue.serve(run)

    @contextmanager
    def paused(self, run: ActiveGoal) -> Iterator[None]:
        """Lend the rig to a goal that is not for learning; the learner waits for its next goal."""
        self._rig.interrupted = run.interrupted
        try:
            yield
        finally:
            self._rig.interrupted = self.queue.interrupted

    def newest_policy(self) -> Path:
        """The file of the newest policy; before the first update, the policy that learning started from.

        A file that can't be read any more is written again, from what is in memory. A person's goal should
        not fail for it.
        """
        path = self._folder / POLICY
        if not path.exists() and self._learned is None:
            return self._start_path
        try:
            self._mend(path)
        except PolicyFileError as error:
            self._health.warn(
                "learned policy",
                f"{error}; until the next update, goals are served by the policy {self._start_path}",
            )
            return self._start_path
        self._health.clear("learned policy")
        return path

    def _mend(self, path: Path) -> None:
        try:
            PolicyFile.load(path, self._agent)
        except PolicyFileError:
            if self._learned is None:
                raise
            self._learned.save(path)

    def _learn(self) -> None:
        verdict = verdict_of(self._preset, self._agent)
        try:
            self._await_lens()
            busy = (
                f"another node learns in {shown(self._folder)}, and two would overwrite each other's "
                "checkpoints: stop the other graph, or start this one with a checkpoint_dir of its own"
            )
            with folder_locked(self._folder, CheckpointError, busy):
                learn_online(
                    GoalEpisodes(self._env(), self.queue, _NAMES[self._agent], self._report, verdict),
                    self._ppo(),
                    self._start,
                    self._folder,
                    fresh=self._fresh,
                    seed=self._seed,
                    stop=self._stop,
                    on_update=self._on_update,
                    on_policy=self._on_policy,
                )
        except NoMoreEpisodes:
            pass
        except (
            Exception
        ) as error:  # Whatever ends the learner, goals must end with its reason instead of hanging.
            why = str(error) or repr(error)
            # A signal shuts the context down while the learner publishes; that is not a failure.
            if self._rig.node.context.ok():
                self._health.error(
                    "learning",
                    f"learning stopped: {why}; fix the cause, then deactivate and activate this node "
                    "to continue from the last update",
                )
            self.queue.abandon(why)

    def _await_lens(self) -> None:
        """Wait for the lens description, which A^H does not need.

        Raises:
            NoMoreEpisodes: The learner was stopped meanwhile.
        """
        rig = self._rig
        while self._agent == "focus" and rig.lens_info is None:
            if self._stop.is_set():
                raise NoMoreEpisodes
            self._health.set_activity("waiting for lens/info")
            rig.wait(lambda: rig.lens_info is not None or self._stop.is_set(), 1.0)

    def _env(self) -> Any:
        if self._agent == "exposure":
            from dasha_ros.learning.envs.single import DashaExposureEnv
            from dasha_ros.policies.learned.exposure_encoder import exposure_extractor

            info = self._start.info
            extractor = exposure_extractor(info.extractor, info.encoder, self._start.fitted)
            return DashaExposureEnv(self._rig, self.queue, self._preset, extractor)
        from dasha_ros.learning.envs.single import DashaFocusEnv
        from dasha_ros.policies.learned.focus_features import focus_extractor

        info = self._start.info
        return DashaFocusEnv(
            self._rig,
            self.queue,
            self._preset,
            focus_extractor(info.extractor, info.encoder, self._start.fitted),
        )

    def _ppo(self) -> Any:
        return self._preset.exposure.ppo if self._agent == "exposure" else self._preset.focus.ppo

    def _on_update(self, steps: int, mean_return: float) -> None:
        self._health.count("updates")
        self._health.show("learning", lambda: {"learned_steps": steps, "mean_return": mean_return})

    def _on_policy(self, policy: PolicyFile) -> None:
        self._learned = policy
        self._health.clear("learned policy")


_NAMES = {"exposure": "A^H", "focus": "A^L"}
