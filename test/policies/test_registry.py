"""Policies by name."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

import dasha_ros.policies.rivals  # adds the rivals
from dasha_ros.policies import registry
from dasha_ros.policies.classical.exposure import HistogramExposure
from dasha_ros.policies.classical.focus import CoarseToFineFocus
from dasha_ros.policies.learned.policy_file import PolicyFileError
from dasha_ros.system.paths import config_dir


def test_every_name_makes_a_policy_of_that_name():
    for name in registry.exposure_policies():
        assert registry.exposure_policy(name).name == name
    for name in registry.focus_policies():
        assert registry.focus_policy(name).name == name


def test_defaults_of_the_nodes_are_there():
    assert isinstance(registry.exposure_policy("histogram"), HistogramExposure)
    assert isinstance(registry.focus_policy("coarse_to_fine"), CoarseToFineFocus)
    assert "contrast" in registry.focus_policies()
    assert dasha_ros.policies.rivals.__doc__


def test_each_call_makes_a_new_policy():
    assert registry.focus_policy("coarse_to_fine") is not registry.focus_policy("coarse_to_fine")


@pytest.mark.parametrize(
    ("make", "names"),
    [
        (registry.exposure_policy, registry.exposure_policies),
        (registry.focus_policy, registry.focus_policies),
    ],
)
def test_unknown_name_lists_the_known_ones(make, names):
    with pytest.raises(registry.UnknownPolicyError) as unknown:
        make("magic")
    assert "'magic'" in str(unknown.value)
    assert str(unknown.value).endswith(f"known: {', '.join(names())}")


def test_a_class_of_your_own_is_named_by_its_module():
    made = registry.focus_policy("dasha_ros.policies.classical.focus:CoarseToFineFocus")
    assert isinstance(made, CoarseToFineFocus)


@pytest.mark.parametrize("name", ["no_such_module:Mine", "json:NoSuchClass", ":", "json:"])
def test_a_class_that_is_not_there_is_refused_with_the_reason(name):
    with pytest.raises(
        registry.UnknownPolicyError, match=f"unknown focus policy '{name}'.*package.module:Class"
    ):
        registry.focus_policy(name)


WRONG = {
    "NoAct": "NoAct of own_wrong has no act",
    "Wants": "Wants of own_wrong, made without arguments, ended with TypeError: ",
    "Raises": "Raises of own_wrong, made without arguments, ended with KeyError: 'boo'",
    "word": "word of own_wrong is no class",
}
SOURCE = """
class NoAct:
    name, rule = "no_act", "well_exposed"
    def reset(self, task): ...
class Wants:
    def __init__(self, size): ...
class Raises:
    def __init__(self): raise KeyError("boo")
word = "act"
"""


@pytest.mark.parametrize("make", [registry.exposure_policy, registry.focus_policy])
def test_a_class_of_which_no_policy_can_be_made_is_refused_with_what_is_wrong(make, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "own_wrong.py").write_text(SOURCE)
    (tmp_path / "own_broken.py").write_text("class Mine(:\n")
    (tmp_path / "own_raising.py").write_text("raise RuntimeError('no licence')\n")
    for name, reason in WRONG.items():
        with pytest.raises(registry.UnknownPolicyError, match=re.escape(f"({reason}")):
            make(f"own_wrong:{name}")
    with pytest.raises(registry.UnknownPolicyError, match="import of own_broken ended with SyntaxError: "):
        make("own_broken:Mine")
    with pytest.raises(registry.UnknownPolicyError, match="own_raising ended with RuntimeError: no licence"):
        make("own_raising:Mine")


def test_a_path_that_is_no_policy_file_is_called_what_it_is(tmp_path):
    (tmp_path / "best.pt").touch()
    with pytest.raises(
        registry.UnknownPolicyError, match=r"best\.pt' is a file whose name does not end in \.npz"
    ):
        registry.focus_policy(str(tmp_path / "best.pt"))
    with pytest.raises(registry.UnknownPolicyError, match="is a folder"):
        registry.exposure_policy(str(tmp_path))


def test_a_learned_policy_is_named_by_its_file():
    path = config_dir() / "policies" / "plus_focus.npz"
    made = registry.focus_policy(str(path))
    assert (made.name, type(made)) == ("plus", type(registry.focus_policy("plus")))
    assert registry.exposure_policy(str(path).replace("focus", "exposure")).name == "plus"


def test_a_file_of_the_other_agent_is_refused_with_the_reason(tmp_path):
    with pytest.raises(PolicyFileError, match=r"plus_exposure\.npz"):
        registry.focus_policy(str(config_dir() / "policies" / "plus_exposure.npz"))
    with pytest.raises(PolicyFileError, match="nowhere"):
        registry.focus_policy(str(tmp_path / "nowhere.npz"))


def test_a_name_is_taken_once():
    with pytest.raises(ValueError, match="already registered"):
        registry.register_focus_policy("coarse_to_fine", CoarseToFineFocus)


def test_agents_load_neither_ros_nor_torch_nor_gymnasium():
    code = (
        "import sys, dasha_ros.policies.registry as r;"
        "import dasha_ros.policies.rewards, dasha_ros.policies.lens_actions;"
        "r.focus_policy('coarse_to_fine'), r.exposure_policy('histogram');"
        "bad = {'rclpy', 'torch', 'gymnasium', 'cv2', 'scipy'} & set(sys.modules); assert not bad, bad"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
