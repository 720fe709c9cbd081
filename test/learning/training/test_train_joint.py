"""Both agents trained in a row: what is handed over, killed anywhere, and how both do at the end."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import numpy as np
import pytest
from synthetic_cache import synthetic_cache
from tiny_runs import TINY, weights

from dasha_ros.learning.dataset.cache.cells import cell_features
from dasha_ros.learning.envs.worlds import FocusWorlds
from dasha_ros.learning.training.agents import exposure_lookup
from dasha_ros.learning.training.joint.hand_over import hand_over
from dasha_ros.learning.training.joint.run import JointFolder, JointPlan, plan_joint, train_joint
from dasha_ros.learning.training.presets import load_preset
from dasha_ros.learning.training.run_folder import RunFolder, TrainingError
from dasha_ros.learning.training.train import default_folder, train
from dasha_ros.optics.exposure_table import exposure_table
from dasha_ros.optics.profiles import lens_model
from dasha_ros.policies.learned.deployed import ExposureBounds
from dasha_ros.policies.learned.network import Mlp, PolicyNet
from dasha_ros.policies.learned.policy_file import PolicyFile

pytest.importorskip("stable_baselines3")
from dasha_ros.learning.training import callbacks as train_watch

pytestmark = [pytest.mark.torch, pytest.mark.usefixtures("few_episodes")]

STEPS = 128


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return synthetic_cache(tmp_path_factory.mktemp("cache"), planes=10, composites=5)


def begun(preset, cache, path):
    """A joint run that has not begun, evaluated after every update."""
    chosen = load_preset(preset, focus__ppo=TINY, exposure__ppo=TINY)
    made = plan_joint(chosen, cache, seed=3, steps=STEPS)
    folder = JointFolder(path)
    folder.create(
        JointPlan(replace(made.exposure, evaluate_every=64), replace(made.focus, evaluate_every=64))
    )
    return folder


def left_by(folder):
    """Everything that a run ends with."""
    networks = {
        f"{agent}/{name}": value.tobytes()
        for agent in ("exposure", "focus")
        for name, value in weights(getattr(folder, agent), agent).items()
    }
    texts = [(folder.path / name).read_text() for name in (
        "result.json", "exposure/evaluations.jsonl", "focus/evaluations.jsonl",
    )]  # fmt: skip
    return networks, texts


def test_a_run_leaves_two_policies_and_how_both_do_in_a_row(cache, tmp_path):
    folder = begun("plus", cache, tmp_path / "run")
    news = []
    score = train_joint(folder, cache, report=lambda agent, n: news.append((agent, n.steps)), episodes=12)
    assert json.loads((folder.path / "result.json").read_text()) == asdict(score)
    assert score.episodes >= 12
    assert score.succeeded <= min(score.handed_over, score.within_2px)
    assert score.frames >= score.commands + score.moves
    assert [agent for agent, _ in news] == sorted(agent for agent, _ in news), "A^H learns first"
    for agent, run in (("exposure", folder.exposure), ("focus", folder.focus)):
        made = PolicyFile.load(run.policy, agent).info.made
        assert made["handed_over"] is (agent == "focus")
        assert list(run.tensorboard.rglob("events*"))


class Killed(BaseException):
    """No code expects it."""


@pytest.mark.parametrize("files", [5, 7])
def test_killed_again_and_again_it_ends_where_an_unbroken_run_ends(files, cache, tmp_path, monkeypatch):
    monkeypatch.setattr(train_watch, "CHECKPOINT_S", 0.0)
    whole = begun("paper", cache, tmp_path / "whole")
    train_joint(whole, cache, episodes=6)
    broken = begun("paper", cache, tmp_path / "broken")
    written = []

    def dying(write):
        def wrapped(*arguments):
            if len(written) >= files:
                raise Killed
            written.append(1)
            return write(*arguments)

        return wrapped

    monkeypatch.setattr(RunFolder, "write", dying(RunFolder.write))
    monkeypatch.setattr(PolicyFile, "save", dying(PolicyFile.save))
    sittings = 0
    score = None
    while score is None:
        written.clear()
        sittings += 1
        try:
            score = train_joint(broken, cache, episodes=6)
        except Killed:
            assert sittings < 20, "a sitting brings nothing"
    assert sittings >= 3
    assert left_by(broken) == left_by(whole)


def test_a_run_that_was_stopped_goes_on_with_the_agent_whose_turn_it_was(cache, tmp_path):
    folder = begun("paper", cache, tmp_path / "run")
    learned = []

    def report(agent, news):
        learned.append(agent)

    stopped = train_joint(folder, cache, report=report, stopped=lambda: "focus" in learned, episodes=6)
    assert stopped is None
    assert not (folder.path / "result.json").exists()
    learned.clear()
    assert train_joint(folder, cache, report=report, episodes=6) is not None
    assert set(learned) == {"focus"}


def net(table, seed=0):
    """A network that prefers exposures without any reason."""
    random = np.random.default_rng(seed)
    encoder = table.extractor.observation_encoder(len(exposure_table()), 1)
    size, actions = encoder.size, encoder.actions
    actor = Mlp((random.normal(size=(size, actions)).astype(np.float32),), (np.zeros(actions, np.float32),))
    critic = Mlp((np.zeros((size, 1), np.float32),), (np.zeros(1, np.float32),))
    return PolicyNet(actor, critic, (actions,))


def test_only_pictures_that_a_h_hands_over_are_handed_over(cache):
    preset = load_preset("plus")
    table = exposure_lookup(cache, preset, np.arange(9), cell_features(cache))
    left = hand_over(net(table), table, exposure_table(), preset, draws=16, seed=1)
    assert left.shape == (len(cache.views), 16)
    views = np.repeat(np.arange(len(cache.views)), 16)
    nothing = np.zeros(len(views))
    pictures = table.pictures(nothing.astype(int), views, nothing, left.ravel(), nothing.astype(int))
    assert pictures.reached("well_exposed").all()
    assert len(np.unique(left)) > 50, "different lights and starts leave different exposures"
    np.testing.assert_array_equal(
        left, hand_over(net(table), table, exposure_table(), preset, draws=16, seed=1)
    )


def test_views_that_are_never_handed_over_keep_what_was_left(cache, monkeypatch):
    def give_up(self, pictures):
        nobody = np.zeros(len(pictures.index), bool)
        return nobody, ~nobody

    monkeypatch.setattr(ExposureBounds, "see", give_up)
    preset = load_preset("plus")
    table = exposure_lookup(cache, preset, np.arange(9), cell_features(cache))
    left = hand_over(net(table), table, exposure_table(), preset, draws=16)
    assert np.isfinite(left).all()
    assert left.std() > 2.0, "any exposure of the table in any light"


def test_episodes_of_a_l_begin_with_what_was_handed_over(cache):
    left = np.arange(len(cache.views))[:, None] + np.array([0.25, 0.5])
    rows = np.arange(200)
    views = rows % len(cache.views)
    worlds = FocusWorlds(
        lens_model(), cache.views, load_preset("plus").focus.world, len(rows), handed_over=left
    )
    worlds.place(rows, views, np.random.default_rng(0))
    assert set(worlds.ev - views) == {0.25, 0.5}


def test_a_part_is_not_resumed_alone(cache, tmp_path):
    folder = begun("paper", cache, tmp_path / "run")
    info = folder.plan().focus
    folder.focus.create(info)
    with pytest.raises(TrainingError, match=r"part of a joint run.*train joint --resume .*run`"):
        train(folder.focus, info, cache, resume=True)
    assert default_folder(info, tmp_path).name == "paper_joint_split0_seed3_1"


def test_another_run_in_the_place_of_a_part_is_refused(cache, tmp_path):
    folder = begun("paper", cache, tmp_path / "run")
    folder.exposure.create(replace(folder.plan().exposure, seed=4))
    with pytest.raises(TrainingError, match=r"run/exposure holds another run than .*joint\.json plans"):
        train_joint(folder, cache)


def test_folders_that_hold_no_joint_run_are_refused(cache, tmp_path):
    folder = begun("paper", cache, tmp_path / "run")
    with pytest.raises(TrainingError, match=r"already holds a run.*--resume"):
        begun("paper", cache, tmp_path / "run")
    with pytest.raises(TrainingError, match="holds no joint run"):
        train_joint(JointFolder(tmp_path / "none"), cache)
    (folder.path / "joint.json").write_text("{}")
    with pytest.raises(TrainingError, match=r"joint\.json is damaged"):
        train_joint(folder, cache)
