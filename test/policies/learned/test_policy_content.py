"""Policy files with one thing wrong: none plays, and each is refused with what is wrong and what to do."""

from __future__ import annotations

import json
import re
from types import SimpleNamespace

import numpy as np
import pytest

from dasha_ros.optics.exposure_table import exposure_table
from dasha_ros.optics.profiles import lens_model
from dasha_ros.perception.errors import ModelError
from dasha_ros.policies.learned.exposure import LearnedExposure
from dasha_ros.policies.learned.focus import LearnedFocus
from dasha_ros.policies.learned.policy_file import PolicyFileError, shipped_policy
from dasha_ros.policies.policy import ExposureTask, FocusTask

POLICIES = {"focus": LearnedFocus, "exposure": LearnedExposure}


def shipped(agent, name="plus"):
    with np.load(shipped_policy(name, agent)) as archive:
        return dict(archive)


def info_of(arrays):
    return json.loads(str(arrays["info"]))


def refused(tmp_path, agent, arrays):
    path = tmp_path / "mine.npz"
    np.savez(path, **arrays)
    with pytest.raises(PolicyFileError) as said:
        POLICIES[agent](path)
    assert re.search(r"mine\.npz.*train it again", str(said.value))
    return str(said.value)


def told(tmp_path, agent, name="plus", **changed):
    """What is said of a shipped policy with other values in its description."""
    arrays = shipped(agent, name)
    return refused(tmp_path, agent, arrays | {"info": np.array(json.dumps(info_of(arrays) | changed))})


@pytest.mark.parametrize("agent", POLICIES)
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300])
def test_every_array_with_something_else_than_finite_numbers_is_refused_by_its_name(tmp_path, agent, value):
    arrays = shipped(agent)
    # Of a large file's arrays two are enough for the other values.
    names = [name for name in arrays if name != "info"][:: 1 if np.isnan(value) else 12]
    for name in names:
        wrong = arrays[name].astype(np.float64)
        wrong.flat[-1] = value
        assert f"{name} holds values that are not finite numbers" in refused(
            tmp_path, agent, arrays | {name: wrong}
        )


@pytest.mark.parametrize("agent", POLICIES)
@pytest.mark.parametrize("cut", [lambda a: a[:1], lambda a: a[..., :1], lambda a: a[None], lambda a: a[:0]])
def test_an_array_of_another_shape_is_refused(tmp_path, agent, cut):
    arrays = shipped(agent)
    for name in arrays:
        if name != "info" and (wrong := cut(arrays[name])).shape != arrays[name].shape:
            refused(tmp_path, agent, arrays | {name: wrong})


@pytest.mark.parametrize("agent", POLICIES)
def test_arrays_of_words_and_missing_arrays_are_refused_by_name(tmp_path, agent):
    arrays = shipped(agent)
    for name in [name for name in arrays if name != "info"]:
        rest = {key: value for key, value in arrays.items() if key != name}
        assert name.removeprefix("net/") in refused(tmp_path, agent, rest)
        said = refused(tmp_path, agent, rest | {name: arrays[name].astype(str)})
        assert f"{name} holds no numbers" in said


def test_a_noise_without_variance_is_refused(tmp_path):
    arrays = shipped("focus")
    name = "fitted/box_profile.variance"
    said = refused(tmp_path, "focus", arrays | {name: np.zeros_like(arrays[name])})
    assert f"{name} holds a variance that is not positive" in said


@pytest.mark.parametrize("agent", POLICIES)
@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("encoder", value) for value in (None, 7, "", ["a"])),
        *(("extractor", value) for value in (None, "nix", 1)),
        *(("lens", value) for value in (None, 3)),
        *(("table", value) for value in (None, 3)),
        *(("nvec", value) for value in ([], "abc", [-1], [0], [True], [2.0], 19, None, {})),
        *(("observation_size", value) for value in (None, "55", 0, -1, 55.0, True)),
        *(("rules", value) for value in ([1], "x", None, 3)),
        *(("made", value) for value in (3, "x", None, [])),
        *(("preset", value) for value in (None, 3)),
        ("format", 2.0),
    ],
)
def test_a_field_of_another_type_is_refused_by_its_name(tmp_path, agent, field, value):
    assert f"info.{field} is {value!r}" in told(tmp_path, agent, **{field: value})


@pytest.mark.parametrize(
    ("agent", "rule", "value"),
    [
        *(("focus", "end_on_detection", value) for value in ("maybe", 1, None)),
        *(("focus", "stay_dioptres", value) for value in ("x", -1.0, float("nan"), 10**400, True)),
        *(("exposure", "stop", value) for value in ("never", None, ["acceptable"])),
        *(("exposure", "deployed", value) for value in ("x", None)),
    ],
)
def test_a_rule_of_another_type_is_refused_by_its_name(tmp_path, agent, rule, value):
    assert f"info.rules.{rule} is " in told(tmp_path, agent, rules={rule: value})


@pytest.mark.parametrize("agent", POLICIES)
@pytest.mark.parametrize(
    ("key", "value"),
    [
        *(("seed", value) for value in ("x", {"a": 1}, 1.5, True, -1)),
        *(("split", value) for value in ("x", [0])),
        *(("cache_key", value) for value in ([], 3)),
        *(("scenes", value) for value in ("x", [1], {"train": 3}, {"train": [3]})),
        *(("pictures", value) for value in ("x", [1], [["a"]], [["a", 1]], {"a": "b"})),
    ],
)
def test_what_a_policy_learned_from_is_refused_in_another_form(tmp_path, agent, key, value):
    assert f"info.made.{key} is " in told(tmp_path, agent, made={key: value})


def test_missing_and_unknown_fields_are_refused_by_name(tmp_path):
    assert "unknown field 'hello'" in told(tmp_path, "focus", hello=1)
    arrays = shipped("focus")
    for name in ("preset", "encoder", "nvec"):
        rest = {key: value for key, value in info_of(arrays).items() if key != name}
        assert f"no {name}" in refused(tmp_path, "focus", arrays | {"info": np.array(json.dumps(rest))})


def test_a_format_that_is_a_text_is_told_from_the_number(tmp_path):
    assert "of format '2', and this version reads 2" in told(tmp_path, "focus", format="2")


@pytest.mark.parametrize("agent", POLICIES)
def test_a_network_for_other_observations_or_actions_is_refused(tmp_path, agent):
    arrays = shipped(agent)
    wider = {
        name: np.concatenate([arrays[name], arrays[name][:1]])
        for name in ("net/actor.0.weight", "net/critic.0.weight")
    }
    size = info_of(arrays)["observation_size"]
    info = np.array(json.dumps(info_of(arrays) | {"observation_size": size + 1}))
    said = refused(tmp_path, agent, arrays | wider | {"info": info})
    assert f"takes {size + 1} numbers, but it observes {size}" in said
    fewer = {f"net/actor.2.{part}": arrays[f"net/actor.2.{part}"][..., :-1] for part in ("weight", "bias")}
    (choices,) = info_of(arrays)["nvec"]
    info = np.array(json.dumps(info_of(arrays) | {"nvec": [choices - 1]}))
    assert "choices" in refused(tmp_path, agent, arrays | fewer | {"info": info})


def test_a_network_of_positions_with_other_choices_than_the_lens_or_table_begins_no_episode(tmp_path):
    for agent, task in (("focus", FocusTask(lens_model())), ("exposure", ExposureTask(exposure_table()))):
        arrays = shipped(agent, "paper")
        fewer = {f"net/actor.2.{part}": arrays[f"net/actor.2.{part}"][..., :4] for part in ("weight", "bias")}
        info = info_of(arrays) | {"nvec": [2, 2] if agent == "focus" else [4]}
        path = tmp_path / f"{agent}.npz"
        np.savez(path, **(arrays | fewer | {"info": np.array(json.dumps(info))}))
        with pytest.raises(PolicyFileError, match=rf"{agent}\.npz.*choices.*train it again"):
            POLICIES[agent](path).reset(task)


@pytest.mark.parametrize("size", [np.array(-1), np.array(1.5), np.array([1280]), np.array(2**40)])
@pytest.mark.parametrize("agent", POLICIES)
def test_a_length_of_latents_that_is_none_is_refused(tmp_path, agent, size):
    said = refused(tmp_path, agent, shipped(agent, "paper") | {"fitted/latent_size": size})
    assert "fitted/latent_size is " in said


@pytest.mark.parametrize("agent", POLICIES)
def test_a_latent_of_another_length_than_the_policys_is_refused_by_its_encoder(agent):
    extractor = POLICIES[agent](shipped_policy("paper", agent)).extractor
    shown = SimpleNamespace(latent=np.zeros(3, np.float32), encoder=extractor.encoder)
    rest = (FocusTask(lens_model()), np.full(4, np.nan)) if agent == "focus" else (0,)
    with pytest.raises(ModelError, match=r"efficientnet_lite0 has 3 numbers here, .* trained with 1280"):
        extractor.read(shown, *rest)


@pytest.mark.parametrize("agent", POLICIES)
@pytest.mark.parametrize("name", ["paper", "plus"])
def test_the_shipped_policies_load(agent, name):
    assert POLICIES[agent](shipped_policy(name, agent)).name == name
