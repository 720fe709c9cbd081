"""Every example does what its first lines say."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import cv2
import pytest
from example_code import EXAMPLES, example
from ros_harness import ROOT

from dasha_ros.perception.detectors import create_detector


@pytest.fixture(autouse=True)
def examples_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLES))


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "HOME": str(Path.home()), "PYTHONPATH": str(EXAMPLES)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_command_that_an_example_names_is_there() -> None:
    for path in EXAMPLES.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert f"examples/{path.relative_to(EXAMPLES)}" in text or path.stem in {
            "own_camera",
            "own_lens",
            "own_policy",
            "own_detector",
        }
        for named in re.findall(r"examples/[\w/]+\.\w+", text):
            assert (ROOT / named).is_file(), f"{path.name} names {named}"


@pytest.mark.slow
def test_the_scene_is_one_that_its_object_is_found_in() -> None:
    done = run("examples/own_scene/check_scene.py", "examples/own_scene/two_pictures.yaml")
    assert done.returncode == 0, done.stdout + done.stderr
    sharp, blurred = map(float, re.findall(r"score (\d\.\d+) in focus, (\d\.\d+) out", done.stdout)[0])
    assert sharp > 0.5
    assert blurred < sharp


def test_the_detector_is_sure_of_a_code_in_focus_and_not_of_one_that_is_blurred() -> None:
    code = cv2.QRCodeEncoder.create().encode("in focus")
    grey = cv2.copyMakeBorder(
        cv2.resize(code, None, fx=8, fy=8, interpolation=cv2.INTER_NEAREST), 60, 60, 60, 60,
        cv2.BORDER_CONSTANT, value=255,
    )  # fmt: skip
    detector = create_detector("own_detector:QrCodes")
    (sharp,) = detector.detect(grey)
    assert sharp.label in detector.labels
    assert sharp.score == 0.9
    assert sharp.box == pytest.approx((60, 60, grey.shape[1] - 60, grey.shape[0] - 60), abs=40)
    blurred = detector.detect(cv2.GaussianBlur(grey, (0, 0), 9.0))
    assert max((d.score for d in blurred), default=0.0) < 0.5
    assert detector.detect(grey, labels=("cat",)) == []


def test_a_scene_that_cannot_be_used_is_refused_with_the_reason(tmp_path: Path) -> None:
    from dasha_ros.twin.scene import SceneError

    path = tmp_path / "empty.yaml"
    path.write_text("layers: []\n")
    with pytest.raises(SceneError, match="layers"):
        example("own_scene/check_scene").main(str(path))
    done = run("examples/own_scene/check_scene.py", str(path))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"error: scene file {path}: layers")
    path.write_text("layers: [{kind: photograph, photo: nope.png, distance_m: 1.0}]\n")
    with pytest.raises(SceneError, match=f"there is no file {tmp_path / 'nope.png'}"):
        example("own_scene/check_scene").main(str(path))


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["coarse_to_fine", "own_policy:BestOfSweep"])
def test_a_policy_by_name_and_one_of_your_own_find_every_object(policy: str) -> None:
    done = run("examples/evaluate_policy.py", policy)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "found 4 of 4" in done.stdout
    assert max(map(float, re.findall(r"blur +(\d+\.\d) px", done.stdout))) <= 2.5


def test_an_unknown_policy_is_refused_with_the_names_there_are() -> None:
    done = run("examples/evaluate_policy.py", "no_such_policy")
    assert done.returncode != 0
    assert "coarse_to_fine" in done.stderr


def test_a_detector_of_ones_own_classes_is_trained_in_the_run() -> None:
    from own_domain import micro_detector as detector
    from own_domain import slides

    assert detector.accuracy(200, seed=9) > 0.9
    micrographs = detector.Micrographs()
    slide = cv2.resize(slides.slide(slides.KINDS, seed=11), (640, 340), interpolation=cv2.INTER_AREA)
    sharp = {found.label: found for found in micrographs.detect(slide, 0.3)}
    assert set(sharp) == set(micrographs.labels)
    for i, kind in enumerate(slides.KINDS):
        left, _, right, _ = sharp[kind].box
        assert left < (i + 0.5) * 640 / 3 < right
    blurred = {found.label: found.score for found in micrographs.detect(cv2.blur(slide, (21, 21)))}
    assert all(blurred.get(kind, 0.0) < found.score for kind, found in sharp.items())
    assert [found.label for found in micrographs.detect(slide, labels=("rod",))] == ["rod"]
    assert micrographs.detect(slide[:, :40].copy()) == []


def test_both_agents_focus_on_objects_that_coco_does_not_know(capsys: pytest.CaptureFixture[str]) -> None:
    assert example("own_domain/two_slides").main(starts=1) == 0
    told = capsys.readouterr().out.splitlines()
    assert [line.partition(":")[0] for line in told] == ["diatom", "ring cell", "rod"]
    assert all("score 0.00 ->" in line for line in told)
