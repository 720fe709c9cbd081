"""Learned policies on disk: there and back, and refused with a sentence that says what to do."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from dasha_ros.optics.profiles import lens_model
from dasha_ros.policies.learned.focus import LearnedFocus
from dasha_ros.policies.learned.focus_features import LatentFeatureExtractor
from dasha_ros.policies.learned.network import Mlp, PolicyNet
from dasha_ros.policies.learned.policy_file import (
    PolicyFile,
    PolicyFileError,
    PolicyInfo,
    check_encoder,
    check_table,
)
from dasha_ros.policies.policy import FocusTask
from dasha_ros.policies.registry import focus_policy

LENS = lens_model()


def mlp(*sizes: int) -> Mlp:
    random = np.random.default_rng(sum(sizes))
    pairs = list(pairwise(sizes))
    return Mlp(
        tuple(random.normal(size=pair).astype(np.float32) for pair in pairs),
        tuple(random.normal(size=pair[1]).astype(np.float32) for pair in pairs),
    )


def policy() -> PolicyFile:
    info = PolicyInfo(
        agent="focus", preset="test", extractor="latent", encoder="none", lens=LENS.id, table="",
        nvec=(47, 10), observation_size=4, rules={"end_on_detection": True, "stay_dioptres": 0.0},
    )  # fmt: skip
    net = PolicyNet(mlp(4, 8, 57), mlp(4, 8, 1), (47, 10))
    return PolicyFile(info, net, LatentFeatureExtractor("none", 4).arrays())


@pytest.fixture
def path(tmp_path):
    policy().save(tmp_path / "policy.npz")
    return tmp_path / "policy.npz"


def test_there_and_back(path):
    found, made = PolicyFile.load(path, "focus"), policy()
    assert found.info == made.info
    for name, value in made.net.arrays().items():
        np.testing.assert_array_equal(found.net.arrays()[name], value)


def test_the_likeliest_action_comes_first_and_draws_follow_the_probabilities():
    net = PolicyNet(mlp(4, 8, 5), mlp(4, 8, 1), (2, 3))
    observation = np.tile(np.array([[0.3, -0.2, 0.5, 1.0]], np.float32), (20_000, 1))
    one = observation[:1]
    first, second = (np.exp(p[0]) for p in net.log_probabilities(one))
    joint = np.outer(first, second)
    np.testing.assert_array_equal(net.ranked(one)[0, 0], np.unravel_index(joint.argmax(), joint.shape))
    drawn = net.ranked(observation, np.random.default_rng(0))[:, 0]
    share = np.zeros_like(joint)
    np.add.at(share, tuple(drawn.T), 1.0 / len(drawn))
    np.testing.assert_allclose(share, joint, atol=0.02)


def test_another_agent_format_or_content_is_refused(path, tmp_path):
    with pytest.raises(PolicyFileError, match="for focus, not for exposure"):
        PolicyFile.load(path, "exposure")
    for name in ("x" * 300, "\0"):
        with pytest.raises(
            PolicyFileError, match=r"the policy .* can't be read: .*: fetch it or train it again"
        ):
            PolicyFile.load(path.with_name(name), "focus")
    with pytest.raises(PolicyFileError, match=r"no policy .*dasha train focus"):
        PolicyFile.load(tmp_path / "missing.npz", "focus")
    with np.load(path) as archive:
        arrays = dict(archive)
    old = json.loads(str(arrays["info"])) | {"format": 0}
    np.savez(tmp_path / "old.npz", **(arrays | {"info": np.array(json.dumps(old))}))
    with pytest.raises(PolicyFileError, match="format 0, and this version reads 2"):
        PolicyFile.load(tmp_path / "old.npz", "focus")
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(PolicyFileError, match="damaged"):
        PolicyFile.load(path, "focus")


def test_another_lens_is_refused(path):
    with pytest.raises(PolicyFileError, match=r"trained with the lens physical.*coarse_to_fine"):
        LearnedFocus(path).reset(FocusTask(lens_model(f_number=4.0)))


def test_a_belief_takes_any_lens_that_has_a_map():
    focus_policy("plus").reset(FocusTask(lens_model(f_number=4.0)))


def test_another_encoder_is_refused_and_a_joint_one_is_not():
    info = replace(policy().info, encoder="efficientnet_lite0_grid")
    check_encoder(info, "efficientnet_lite0+efficientnet_lite0_grid")
    with pytest.raises(PolicyFileError, match=r"set perception's `encoder` to efficientnet_lite0_grid"):
        check_encoder(info, "efficientnet_lite0")


def test_another_table_is_refused():
    info = replace(policy().info, agent="exposure", table="146:24..1000000us")
    with pytest.raises(PolicyFileError, match=r"exposure_min_us.*histogram"):
        check_table(info, "10:1..2us")


def test_acting_before_a_task_is_refused(path):
    with pytest.raises(RuntimeError, match="act before reset"):
        LearnedFocus(path).act(None)  # type: ignore[arg-type]
