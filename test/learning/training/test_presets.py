"""Presets: what ships can be used, and what can't is refused with the key and the reason."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from dasha_ros.learning.training.online import online_ppo
from dasha_ros.learning.training.presets import PresetError, load_preset, preset_from, preset_names
from dasha_ros.optics.exposure_table import exposure_table
from dasha_ros.perception.encoders import ENCODERS
from dasha_ros.policies.learned.policy_file import PolicyFile, shipped_policy
from dasha_ros.system.paths import config_dir
from dasha_ros.twin.world import FACTORY_EXPOSURE_US, FACTORY_POSITION

PAPER = config_dir() / "presets" / "paper.yaml"


def test_paper_and_plus_ship():
    assert {"paper", "plus"} <= set(preset_names())


@pytest.mark.parametrize("name", preset_names())
def test_a_preset_survives_a_run_file(name):
    preset = load_preset(name)
    assert preset.name == name
    assert preset.encoder in ENCODERS.names
    assert preset_from(preset.model_dump(mode="json"), "of the run") == preset


def test_the_paper_is_what_the_paper_says():
    paper = load_preset("paper")
    table = exposure_table()
    for agent in (paper.focus, paper.exposure):
        assert agent.observation == "latent"
        ppo = agent.ppo
        assert (ppo.n_envs, ppo.n_steps, ppo.batch_size) == (1, 128, 128)
        assert agent.steps <= 20_000
    assert paper.focus.end_on_detection
    assert (paper.focus.move_price, paper.focus.reversal_price, paper.focus.hunting_price) == (0, 0, 0)
    assert (paper.focus.world.distance_m, paper.focus.world.schedule) == ((1.4, 2.0), "loop")
    assert (paper.exposure.world.light_lx, paper.exposure.world.schedule) == ((13, 300), "loop")
    assert paper.focus.world.start_position == (FACTORY_POSITION, FACTORY_POSITION)
    assert paper.exposure.world.exposure_index == "factory"
    assert table.exposure_us(table.nearest(FACTORY_EXPOSURE_US)) == pytest.approx(
        FACTORY_EXPOSURE_US, rel=0.04
    )
    assert (paper.exposure.rule, paper.exposure.deployed) == ("acceptable", "algorithm_1")
    assert (paper.exposure.criterion, paper.exposure.end, paper.exposure.horizon) == ("peak", "always", 1)


def test_online_updates_have_the_minibatch_of_their_preset():
    """128 pictures an update (V): the paper's minibatch is all of them, that of `plus` was tried with 64."""
    for name, batch in (("paper", 128), ("plus", 64), ("ablation_without_detection", 64)):
        preset = load_preset(name)
        for ppo in (preset.exposure.ppo, preset.focus.ppo):
            assert (online_ppo(ppo).n_steps, online_ppo(ppo).batch_size) == (128, batch)
    with pytest.raises(PresetError, match="online_batch_size 100 does not divide the 128 steps online"):
        load_preset("plus", focus__ppo__online_batch_size=100)


@pytest.mark.parametrize("agent", ["exposure", "focus"])
def test_the_policies_that_ship_learned_with_a_preset_that_ships(agent):
    """What they were made with is in their files; younger keys have the value that changes nothing."""
    made = PolicyFile.load(shipped_policy("paper", agent), agent).info.made["preset"]
    preset = load_preset("paper_drawn")
    for part in ("exposure", "focus"):
        own = {**made[part], "world": None, "ppo": None}
        now = getattr(preset, part).model_dump(mode="json")
        assert {key: now[key] for key in own if own[key] is not None} == {
            key: value for key, value in own.items() if value is not None
        }
        for block in ("world", "ppo"):
            assert {key: now[block][key] for key in made[part][block]} == made[part][block]


@given(a=st.floats(24.0, 70.0), b=st.floats(24.0, 70.0))
def test_ranges_ascend(a, b):
    if a <= b:
        assert load_preset("paper", focus__world__start_position=[a, b]).focus.world.start_position == (a, b)
    else:
        with pytest.raises(PresetError, match=r"focus\.world.*position = .*the least value comes first"):
            load_preset("paper", focus__world__start_position=[a, b])


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"focus__ppo__batch_size": 100}, r"focus\.ppo.*100 does not divide n_envs \* n_steps = 128"),
        ({"focus__world__start_position": [20.0, 70.0]}, r"start_position.*the lens takes 24 to 70 V"),
        ({"focus__world__distance_m": [0.0, 2.0]}, "distance_m must be positive"),
        ({"focus__world__composite_share": 1.5}, r"focus\.world\.composite_share"),
        ({"focus__move_price": float("nan")}, r"focus\.move_price = nan: .*finite"),
        ({"focus__min_score": 0.0}, r"focus\.min_score"),
        ({"exposure__world__light_lx": [-1.0, 300.0]}, r"exposure\.world\.light_lx"),
        ({"exposure__steps": 0}, r"exposure\.steps"),
        ({"focus__observation": "mind"}, r"focus\.observation = .mind.: .*latent"),
        ({"focus__prize": 1.0}, r"focus\.prize = 1.0: there is no such key; the keys are .*steps"),
        ({"focus__plan": True}, "focus: .*a plan needs the observation belief"),
        ({"description": ""}, "description"),
        ({"focus__widen": 1e300}, r"widen is out of range: at most 1e\+09"),
        ({"focus__ppo__learning_rate": 1e300}, r"learning_rate is out of range: at most"),
        ({"focus__world__ev": [-1e10, 0.0]}, r"ev is out of range: at most"),
        ({"focus__steps": 10**400}, r"steps is out of range: at most"),
        ({"focus__ppo__hidden": [64, 10**5000]}, r"hidden is out of range: at most"),
        ({"focus__world__hysteresis": [-1.0, 0.1]}, r"hysteresis\.0 = -1\.0"),
        ({"name": "../mine"}, r"name = '\.\./mine': .*without /"),
        ({"name": ""}, "name = '': "),
        ({"encoder": "efficientnet_lite0_gird"}, r"encoder = .*no encoder called .*efficientnet_lite0_grid"),
        ({"lens": "none.yaml"}, r"lens = 'none\.yaml': .*physical.*nor a file"),
        ({"lens": "/"}, "lens = '/': .*is a folder"),
    ],
)
def test_values_that_can_not_be_used_are_named(changes, says):
    with pytest.raises(PresetError, match=says):
        load_preset("paper", **changes)


def test_a_table_of_a_lens_is_found_from_any_folder(tmp_path, monkeypatch):
    (tmp_path / "slow.yaml").write_text(
        "unit: steps\nposition_min: 0\nposition_max: 100\npoints:\n"
        "  - {position: 0, distance_m: 2.0}\n  - {position: 100, distance_m: 0.5}\n"
    )
    monkeypatch.chdir(tmp_path)
    preset = load_preset("plus", lens="slow.yaml")
    monkeypatch.chdir("/")
    assert preset_from(preset.model_dump(mode="json"), "run.json").lens == str(tmp_path / "slow.yaml")
    assert load_preset("plus").lens == "physical"


def test_an_encoder_that_no_agent_reads_is_refused():
    with pytest.raises(
        PresetError, match=r"encoder = 'resnet152'.*belief read efficientnet_lite0_grid alone"
    ):
        load_preset("plus", encoder="resnet152")
    reads = {"exposure__observation": "latent", "exposure__relative": False, "exposure__world__gain_db": 0.0}
    assert load_preset("plus", encoder="resnet152", **reads).encoder == "resnet152"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "there is no such file"),
        ("a: [", "is not YAML"),
        ("- 1", "must hold keys and values"),
        ("description: too little", "encoder: Field required"),
    ],
)
def test_files_that_are_no_presets_are_refused(content, says, tmp_path):
    path = tmp_path / "mine.yaml"
    if content is not None:
        path.write_text(content)
    with pytest.raises(PresetError, match=rf"mine\.yaml.*{says}"):
        load_preset(path)


def test_an_unknown_name_lists_those_that_there_are():
    with pytest.raises(PresetError, match=r"no preset 'best'.*paper, paper_drawn, plus"):
        load_preset("best")


def test_a_file_of_ones_own_is_named_after_itself(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(PAPER.read_text()) | {"encoder": "resnet152"}))
    preset = load_preset(str(path))
    assert (preset.name, preset.encoder) == ("mine", "resnet152")
    assert preset.focus == load_preset("paper").focus
    with pytest.raises(ValidationError):
        preset.encoder = "other"


def test_a_file_that_extends_a_preset_holds_only_what_differs(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text("extends: plus\nfocus: {move_price: 0.25, ppo: {n_epochs: 3}}\n")
    mine, plus = load_preset(path, focus__steps=7), load_preset("plus")
    assert (mine.name, mine.focus.move_price, mine.focus.ppo.n_epochs, mine.focus.steps) == (
        "mine",
        0.25,
        3,
        7,
    )
    same = {"move_price": plus.focus.move_price, "steps": plus.focus.steps, "ppo": plus.focus.ppo}
    assert mine.focus.model_copy(update=same) == plus.focus
    assert mine.focus.ppo.model_copy(update={"n_epochs": plus.focus.ppo.n_epochs}) == plus.focus.ppo
    assert mine.exposure == plus.exposure


@pytest.mark.parametrize(
    ("base", "says"),
    [
        ("best", "extends: no preset 'best'"),
        ("ablation_without_position", "extends: .*extends another one itself"),
    ],
)
def test_what_can_not_be_extended_is_named(base, says, tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(f"extends: {base}")
    with pytest.raises(PresetError, match=rf"mine\.yaml: {says}"):
        load_preset(path)
