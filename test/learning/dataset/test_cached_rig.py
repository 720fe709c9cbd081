"""The cached rig against the twin rig: one episode, played on both."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml

from dasha_ros.control.loop import run_exposure, run_focus
from dasha_ros.control.rig import Rig, RigError
from dasha_ros.control.step import Step
from dasha_ros.control.twin_rig import TwinRig
from dasha_ros.devices.errors import OutOfRange
from dasha_ros.learning.dataset.cache.percept_cache import PerceptCache
from dasha_ros.learning.dataset.cache.rig import CachedRig
from dasha_ros.learning.dataset.cache.store import CacheError
from dasha_ros.optics.profiles import lens_model
from dasha_ros.perception.percept import Percept
from dasha_ros.perception.pipeline import Perception
from dasha_ros.policies.classical.exposure import HistogramExposure
from dasha_ros.policies.outcome import ErrorCode
from dasha_ros.policies.policy import ExposureTask, FocusDecision, FocusTask
from dasha_ros.policies.registry import focus_policy
from dasha_ros.twin.scene import SceneError
from dasha_ros.twin.world import World

LABEL = "motorcycle"
DISTANCE_M = 0.9
START_POSITION = 55.0


@pytest.fixture(scope="module")
def perception(motorcycle_cache: PerceptCache) -> Perception:
    return Perception(encoder="efficientnet_lite0_early")


@pytest.fixture
def twin(motorcycle_cache: PerceptCache, perception: Perception, tmp_path: Path) -> TwinRig:
    """A rig that renders what the cache's only view shows."""
    scene = motorcycle_cache.scenes[0].model_dump(mode="json", exclude={"name", "folder"})
    path = tmp_path / "motorcycle.yaml"
    path.write_text(yaml.safe_dump(scene))
    return TwinRig(perception, World(scene=str(path)))


@pytest.fixture
def rigs(motorcycle_cache: PerceptCache, twin: TwinRig) -> Callable[..., tuple[CachedRig, TwinRig]]:
    """Both, placed alike."""

    def place(lux: float = 100.0, exposure_us: float = 45_000.0, position: float = START_POSITION):
        cached = CachedRig(motorcycle_cache, latent="latent_early")
        # The play between board and liquid remembers: both begin from the same end.
        for rig, scene in ((cached, motorcycle_cache.views[0].name), (twin, twin._camera.world.scene)):
            world = World(scene=scene, illuminance_lx=lux, distances_m=(DISTANCE_M,))
            rig.place(world, 24.0, exposure_us)
            rig.place(world, position, exposure_us)
        return cached, twin

    return place


def differs(a: Percept, b: Percept) -> dict[str, float]:
    """How far two percepts are apart."""
    scores = [max((d.score for d in p.of([LABEL])), default=0.0) for p in (a, b)]
    cosine = a.latent @ b.latent / np.linalg.norm(a.latent) / np.linalg.norm(b.latent)
    return {
        "score": abs(scores[0] - scores[1]),
        "brisque": abs(a.brisque - b.brisque),
        "mean_grey": abs(a.mean_grey - b.mean_grey),
        "latent": 1.0 - float(cosine),
        "sharpness": abs(a.sharpness / b.sharpness - 1.0),
    }


def test_the_same_commands_mean_the_same(rigs) -> None:
    """Lens, clock and costs to the nanosecond; percepts within the error of looking up."""
    cached, twin = rigs()
    script = [("move", v) for v in (55.0, 60.0, 43.6, 43.55, 43.7, 24.0, 70.0)]
    script += [("expose", us) for us in (2000.0, 500.0)]
    errors = []
    for name, value in script:
        mine, theirs = getattr(cached, name)(value), getattr(twin, name)(value)
        assert mine.lens == theirs.lens
        assert mine.capture == theirs.capture
        assert cached.focus_dioptres == twin.focus_dioptres
        errors.append(differs(mine, theirs))
    assert cached.usage == twin.usage
    # Well exposed, the grid is fine; where it is dark only A^H looks, and the grid is coarse.
    well, dark = worst(errors[:7]), worst(errors[7:])
    assert well["score"] < 0.1
    assert well["brisque"] < 6.0
    assert well["mean_grey"] < 4.0
    assert well["latent"] < 0.005
    assert well["sharpness"] < 0.2
    assert dark["brisque"] < 12.0
    assert dark["mean_grey"] < 1.0
    assert dark["latent"] < 0.08


def worst(errors: list[dict[str, float]]) -> dict[str, float]:
    return {key: max(e[key] for e in errors) for key in errors[0]}


@pytest.mark.parametrize(("lux", "exposure_us"), [(13.0, 24.0), (100.0, 500.0), (300.0, 900_000.0)])
def test_the_exposure_agent_decides_the_same(rigs, lux: float, exposure_us: float) -> None:
    decisions: list[list[int]] = []
    for rig in rigs(lux, exposure_us, position=40.0):
        steps: list[Step] = []
        outcome = run_exposure(rig, HistogramExposure(), ExposureTask(rig.table), steps.append)
        assert outcome.code is ErrorCode.NONE
        decisions.append([step.decision.index for step in steps])
    mine, theirs = decisions
    assert len(mine) == len(theirs)
    assert np.abs(np.array(mine) - theirs).max() <= 1, "a step of the table is 7 % of light"


class Replay:
    """Gives the same position whatever it sees."""

    name = "replay"

    def __init__(self, position: list[float]) -> None:
        self._position = position

    def reset(self, task: FocusTask) -> None:
        self._left = list(self._position)

    def act(self, percept: Percept) -> FocusDecision:
        if not self._left:
            return FocusDecision(self._position[-1], done=True, found=bool(percept.of([LABEL], 0.3)))
        return FocusDecision(self._left.pop(0))


def test_an_episode_has_the_same_rewards(rigs) -> None:
    rewards: list[list[float]] = []
    for rig in rigs():
        steps: list[Step] = []
        task = FocusTask(rig.lens, frozenset([LABEL]))
        outcome = run_focus(rig, Replay([60.0, 50.0, 45.0, 43.6]), task, steps.append)
        assert outcome.code is ErrorCode.NONE
        rewards.append([step.reward.value for step in steps])
    assert rewards[0] == pytest.approx(rewards[1], abs=0.06)


def test_the_search_ends_at_the_same_place(rigs) -> None:
    ends: list[float] = []
    for rig in rigs():
        task = FocusTask(rig.lens, frozenset([LABEL]))
        outcome = run_focus(rig, focus_policy("coarse_to_fine"), task)
        assert outcome.code is ErrorCode.NONE
        ends.append(rig.focus_dioptres)
        assert abs(rig.lens.blur_px(rig.focus_dioptres, 1 / DISTANCE_M)) < 2.0
    assert ends[0] == pytest.approx(ends[1], abs=0.15)


def test_a_rig_is_a_rig(motorcycle_cache: PerceptCache) -> None:
    rig: Rig = CachedRig(motorcycle_cache)
    assert rig.observe().is_finite()


def test_noise_repeats_with_the_seed(motorcycle_cache: PerceptCache) -> None:
    def seen(seed: int) -> list[float]:
        rig = CachedRig(motorcycle_cache, seed=seed)
        world = World(scene=motorcycle_cache.views[0].name, illuminance_lx=10.0)
        rig.place(world, 40.0, 20_000.0)
        return [rig.observe().brisque for _ in range(12)]

    assert seen(1) == seen(1)
    assert len(set(seen(1))) > 1, "in the dark two draws of noise differ"


def test_a_lamp_is_refused(motorcycle_cache: PerceptCache) -> None:
    rig = CachedRig(motorcycle_cache)
    world = World(scene=motorcycle_cache.views[0].name, lamp_hz=100.0)
    with pytest.raises(SceneError, match="no lamp of 100 Hz: set lamp_hz to 0"):
        rig.place(world, 40.0, 20_000.0)


def test_bad_values_are_refused(motorcycle_cache: PerceptCache) -> None:
    rig = CachedRig(motorcycle_cache)
    view = motorcycle_cache.views[0].name
    with pytest.raises(RigError, match=r"exposure nan us refused"):
        rig.expose(float("nan"))
    with pytest.raises(RigError, match=r"70\.1"):
        rig.move(70.1)
    with pytest.raises(OutOfRange, match="exposure 1 us"):
        rig.place(World(scene=view), 40.0, 1)
    with pytest.raises(SceneError, match="no view 'moon'"):
        rig.place(World(scene="moon"), 40.0, 1000.0)
    with pytest.raises(SceneError, match="1 layers, but 2 distances"):
        rig.place(World(scene=view, distances_m=(1.0, 2.0)), 40.0, 1000.0)
    assert rig.observe().is_finite(), "a refused world leaves the old one"


def test_distances_must_keep_the_separation(few_cache: PerceptCache) -> None:
    view = few_cache.views[2]
    near, far = view.distances_m
    rig = CachedRig(few_cache)
    rig.place(World(scene=view.name), 40.0, 1000.0)
    assert rig.object_dioptres == pytest.approx(1 / near)
    closer = (1 / (1 / near + 0.5), 1 / (1 / far + 0.5))
    rig.place(World(scene=view.name, distances_m=closer), 40.0, 1000.0)
    assert rig.object_dioptres == pytest.approx(1 / near + 0.5)
    with pytest.raises(SceneError, match="keep that difference"):
        rig.place(World(scene=view.name, distances_m=(near, far * 0.3)), 40.0, 1000.0)


def test_a_cache_of_another_lens_is_refused(motorcycle_cache: PerceptCache) -> None:
    with pytest.raises(CacheError, match=r"made with 25 mm at f/2, the lens physical has 25 mm at f/4"):
        CachedRig(motorcycle_cache, lens=lens_model(f_number=4.0))
    with pytest.raises(ValueError, match=r"no latent 'late'; it has latent, latent_grid, latent_early"):
        CachedRig(motorcycle_cache, latent="late")


def test_temperature_moves_the_focus(motorcycle_cache: PerceptCache) -> None:
    rig = CachedRig(motorcycle_cache)
    view = motorcycle_cache.views[0].name
    rig.place(World(scene=view), 45.0, 1000.0)
    cold = rig.focus_dioptres
    rig.place(World(scene=view, temperature_c=35.0), 45.0, 1000.0)
    assert rig.focus_dioptres == pytest.approx(cold - 0.5)
