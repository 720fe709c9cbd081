"""Cards of policies: every number from the run and from rows, and what does not fit together refused."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from xml.etree import ElementTree

import numpy as np
import pytest

from dasha_ros.benchmark.model_card import ModelCardError, main, model_card, read_rows
from dasha_ros.learning.training.presets import load_preset
from dasha_ros.learning.training.run_folder import RunFolder, RunInfo
from dasha_ros.policies.learned.focus_features import LatentFeatureExtractor
from dasha_ros.policies.learned.network import Mlp, PolicyNet
from dasha_ros.policies.learned.policy_file import PolicyFile, PolicyInfo, shipped_policy

INFO = RunInfo(
    agent="focus",
    preset=load_preset("paper").model_dump(mode="json"),
    cache="/somewhere/percepts/few-0123",
    cache_key="0123abc",
    seed=4,
    split=1,
    steps=700,
    evaluate_every=100,
    exposures="table",
    lens="a lens",
    command=(
        "dasha",
        "train",
        "focus",
        "--cache",
        "/somewhere/few-0123",
        "--out",
        "/secret/place",
        "--seed",
        "4",
    ),
    versions={"numpy": "9.8.7"},
    scenes={"train": ["plane/a/0/cat", "plane/b/0/cat", "composite/0/1/a-b/cat"], "test": ["plane/c/0/cup"]},
    pictures={f"photos/{name}.jpg": "00" for name in "abcde"},
)
EVALUATIONS = [
    {"steps": 100.0, "episodes": 50, "within_2px": 0.25, "detected": 0.5, "moves_settled": 9.5, "merit": 0.1},
    {
        "steps": 200.0,
        "episodes": 50,
        "within_2px": 0.75,
        "detected": 1.0,
        "moves_settled": 3.25,
        "merit": 0.7,
    },
]


@pytest.fixture
def run(tmp_path) -> RunFolder:
    """A run of two evaluations, the second of which was kept."""
    folder = RunFolder(tmp_path / "run")
    folder.create(INFO)
    folder.write_evaluations(EVALUATIONS)
    made = {key: value for key, value in asdict(INFO).items() if key not in ("pictures", "cache")}
    actor, critic = (Mlp((np.zeros((4, n), np.float32),), (np.zeros(n, np.float32),)) for n in (5, 1))
    info = PolicyInfo(
        agent="focus", preset="paper", extractor="latent", encoder="an encoder", lens=INFO.lens, table="",
        nvec=(5,), observation_size=4, made={**made, "validation": EVALUATIONS[1]},
    )  # fmt: skip
    PolicyFile(info, PolicyNet(actor, critic, (5,)), LatentFeatureExtractor("an encoder", 4).arrays()).save(
        folder.policy
    )
    return folder


def row(**changes):
    return {
        "setting": "planes_wide", "policy": "paper", "reference_based": False, "policy_seed": 4, "split": 1,
        "sampled": False, "arena": "cache", "scenes": 7, "episodes": 21, "within_2px": 0.9, "frames": 3.0,
        **changes,
    }  # fmt: skip


def section(text: str, title: str) -> str:
    return text.split(f"## {title}\n")[1].split("\n## ", maxsplit=1)[0]


def test_says_how_it_was_made_and_can_be_made_again(run):
    text = model_card(run, [row()])
    assert text.startswith("# Policy `paper` of focus\n")
    assert "\n    dasha train focus --cache few-0123 --seed 4\n" in text
    assert "secret" not in text
    assert "somewhere" not in text
    assert "seed 4, split 1, 700 steps, kept at step 200" in text
    assert "numpy 9.8.7" in text
    assert "`an encoder`" in text
    assert "`a lens`" in text
    assert "`0123abc`" in text


def test_scenes_are_counted_by_part_and_kind(run):
    lines = section(model_card(run, [row()]), "Scenes").splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    assert cells[0] == ["views", "planes", "composites", "all"]
    assert cells[2:] == [["train", "2", "1", "3"], ["test", "1", "0", "1"]]
    assert "5 pictures" in lines[0]


def test_this_policy_and_the_spread_of_its_preset_are_told_apart(run):
    rows = [
        row(within_2px=0.9), row(within_2px=0.8, sampled=True), row(within_2px=0.7, policy_seed=5),
        row(within_2px=0.8, split=2), row(within_2px=0.1, policy="plus"), row(setting="exposure", split=3),
    ]  # fmt: skip
    own, preset = section(model_card(run, rows), "Test").split("The preset")
    assert own.count("planes_wide") == 2
    assert own.count("drawn") == 1
    assert "90.0 %" in own
    assert "80.0 %" in own
    assert "70.0 %" not in own
    assert "seeds 4, 5; splits 1, 2" in preset
    assert "80.0 +- 10.0 %" in preset
    assert "| 80.0 % " in preset
    assert "10.0 % |" not in own


def test_the_kept_evaluation_is_shown_and_not_another(run):
    text = section(model_card(run, [row()], curve="c.svg"), "Validation")
    assert "75.0 %" in text
    assert "25.0 %" not in text
    assert "3.25" in text
    assert "(c.svg)" in text


def test_limits_come_from_the_preset_and_from_who_asks(run):
    limits = section(model_card(run, [row()], limits=["Never saw a cow."]), "Limits")
    assert "`distance_m` 1.4 to 2" in limits
    assert limits.endswith("- Never saw a cow.\n")


def test_a_policy_that_nobody_evaluated_gets_no_card(run):
    for rows in ([], [row(split=0)], [row(policy="plus")], [row(setting="exposure")]):
        with pytest.raises(
            ModelCardError, match=r"no row is about paper of focus, seed 4, split 1: .*dasha evaluate"
        ):
            model_card(run, rows)


def test_a_card_says_whether_another_lens_is_refused(run):
    assert f"anything but `an encoder` and `{INFO.lens}` is refused" in model_card(run, [row()])
    file = PolicyFile.load(run.policy, "focus")
    other = PolicyFile.load(shipped_policy("plus", "focus"), "focus")
    replace(other, info=replace(other.info, made=file.info.made)).save(run.policy)
    text = model_card(run, [row(policy="plus")])
    assert f"anything but `{other.info.encoder}` is refused" in text
    assert "any lens with a calibrated map" in text


def test_a_policy_of_another_run_is_refused(run):
    other = PolicyFile.load(run.policy, "focus")
    replace(other, info=replace(other.info, made={**other.info.made, "split": 0})).save(run.policy)
    with pytest.raises(ModelCardError, match="was not trained by the run"):
        model_card(run, [row()])


@pytest.mark.parametrize("content", [None, "[", "{}", '[{"policy": "paper"}]', "[1]"])
def test_files_without_rows_are_refused_by_name(content, tmp_path):
    path = tmp_path / "rows.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ModelCardError, match=r"rows\.json"):
        read_rows([path])


def test_the_command_writes_a_card_that_links_its_curve(run, tmp_path):
    rows, out, curve = tmp_path / "rows.json", tmp_path / "p" / "paper_focus.md", tmp_path / "c" / "paper.svg"
    out.parent.mkdir()
    rows.write_text(json.dumps([row()]))
    command = [
        str(run.path),
        "--rows",
        str(rows),
        "--out",
        str(out),
        "--curve",
        str(curve),
        "--limits",
        "One.",
    ]
    main(command)
    assert "(../c/paper.svg)" in out.read_text()
    first = curve.read_bytes()
    labels = {e.text for e in ElementTree.fromstring(first).iter("{http://www.w3.org/2000/svg}text")}
    assert {"within 2 px", "detected", "moves to the end", "kept"} <= labels
    main(command)
    assert curve.read_bytes() == first


def test_the_command_says_what_is_wrong_in_a_sentence(run, tmp_path):
    rows = tmp_path / "rows.json"
    rows.write_text(json.dumps([row(split=0)]))
    with pytest.raises(SystemExit, match="no row is about"):
        main([str(run.path), "--rows", str(rows), "--out", str(tmp_path / "card.md")])
    with pytest.raises(SystemExit, match="holds no run"):
        main([str(tmp_path / "nowhere"), "--rows", str(rows), "--out", str(tmp_path / "card.md")])
    assert not (tmp_path / "card.md").exists()
