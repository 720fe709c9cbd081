"""The rivals that learn: their states, their networks, and what they do with them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from analytic_focus import ErrorCode, final_blur, focus, plane
from hypothesis import given
from hypothesis import strategies as st

from dasha_ros.policies.rivals import phase_shift, ten_dqn
from dasha_ros.policies.rivals.phase_shift import PhaseSensor, PhaseShiftFocus, phase_signal
from dasha_ros.policies.rivals.q_network import QNetwork, QNetworkError
from dasha_ros.policies.rivals.ten_dqn import TenDqnFocus


def constant_network(inputs: int, actions: int, best: int) -> QNetwork:
    """Values one action above all others, whatever the state."""
    return QNetwork(((np.zeros((inputs, actions), np.float32), np.eye(actions, dtype=np.float32)[best]),))


def random_network(seed: int = 0) -> QNetwork:
    random = np.random.default_rng(seed)
    sizes = (9, 7, 5)
    return QNetwork(
        tuple(
            (random.normal(size=(a, b)).astype(np.float32), random.normal(size=b).astype(np.float32))
            for a, b in pairwise(sizes)
        ),
        {"seed": seed},
    )


def test_values_are_those_of_the_layers():
    network = random_network()
    (w0, b0), (w1, b1) = network.layers
    x = np.linspace(-1, 1, 9)
    expected = np.array([max(v, 0.0) for v in x @ w0 + b0]) @ w1 + b1
    assert network.values(x) == pytest.approx(expected, rel=1e-5)
    assert network.best(x) == int(np.argmax(expected))


def test_a_network_survives_its_file(tmp_path):
    network = random_network(3)
    network.save(path := tmp_path / "q.npz")
    again = QNetwork.load(path)
    assert again.made == {"seed": 3}
    assert (again.values(np.ones(9)) == network.values(np.ones(9))).all()


@pytest.mark.parametrize("content", [b"", b"no archive", None])
def test_a_file_that_is_no_network_is_named(tmp_path, content):
    path = tmp_path / "q.npz"
    if content is None:
        np.savez(path, something=np.zeros(3))
    else:
        path.write_bytes(content)
    with pytest.raises(QNetworkError, match=r"q\.npz"):
        QNetwork.load(path)
    with pytest.raises(QNetworkError, match=r"missing\.npz"):
        QNetwork.load(tmp_path / "missing.npz")


def test_impossible_networks_are_refused():
    ones = np.ones((3, 2), np.float32)
    for layers in [(), ((ones, np.ones(3, np.float32)),), ((ones, np.ones(2, np.float32)),) * 2]:
        with pytest.raises(QNetworkError, match="layers"):
            QNetwork(layers)
    with pytest.raises(QNetworkError, match="finite"):
        QNetwork(((ones * np.nan, np.ones(2, np.float32)),))
    with pytest.raises(QNetworkError, match="from 9 numbers to 5 actions"):
        TenDqnFocus(constant_network(4, 5, 0))


@pytest.mark.parametrize(("action", "position"), list(enumerate(ten_dqn.ACTIONS_V)))
def test_ten_moves_by_its_five_actions(action, position):
    rig = plane(1.0, 47.0)
    outcome = focus(rig, TenDqnFocus(constant_network(9, 5, action)))
    moves = np.diff([47.0, *(value for _, value in rig.history)])
    assert moves == pytest.approx(np.full(len(moves), position))
    if position:
        assert outcome.code is ErrorCode.OBJECT_NOT_FOUND, "left the range, or ran out of its 20 steps"
        assert len(moves) == min(20, int(23.0 / abs(position)))
    else:
        assert outcome.steps == 0


def test_tens_state_is_three_pictures_and_three_actions_newest_first():
    state = ten_dqn.State((1.0, 0.1))
    state.add(2.7, (2.0, 0.2))
    state.add(-0.3, (3.0, 0.3))
    assert state.vector() == pytest.approx([3, 0.3, 2, 0.2, 1, 0.1, -0.3 / 2.7, 1.0, 0.0])


def test_a_black_picture_is_a_state_too():
    assert np.isfinite(ten_dqn.picture(0.0, 55.0)).all()


@given(st.floats(-80, 80), st.integers(0, 100))
def test_the_phase_signal_is_bounded(defocus, seed):
    assert abs(phase_signal(defocus, np.random.default_rng(seed))) <= phase_shift.RANGE_PX


def test_the_phase_signal_tells_side_and_nearness():
    random = np.random.default_rng(0)
    near, far = phase_signal(np.full(500, 4.0), random), phase_signal(np.full(500, 12.0), random)
    assert near.mean() == pytest.approx(4.0, abs=0.4)
    assert near.mean() < far.mean() < phase_shift.RANGE_PX
    assert (phase_signal(np.full(500, -12.0), random) < 0).mean() > 0.99
    assert phase_signal(np.zeros(2000), random).std() == pytest.approx(phase_shift.NOISE_PX, rel=0.1)


def test_the_phase_state_is_the_journey():
    state = phase_shift.State(10.0)
    state.add(8.0, -5.0)
    assert state.vector() == pytest.approx([-0.5, 1, 1, 1, 1, 0, 0, 0])
    assert len(state.vector()) == phase_shift.State.size


def test_the_shipped_phase_agent_focuses_planes_because_it_sees_the_truth():
    random = np.random.default_rng(1)
    blurs, steps = [], []
    for seed in range(60):
        rig = plane(random.uniform(0.1, 3.33), random.uniform(24.0, 70.0))
        truth = lambda rig=rig: rig.lens.blur_px(  # noqa: E731
            rig.lens.dioptres(rig.felt), rig.things[0].dioptres
        )
        steps.append(focus(rig, PhaseShiftFocus(PhaseSensor(truth, seed))).steps)
        blurs.append(final_blur(rig))
    assert np.mean(np.array(blurs) <= 2.0) >= 0.95
    assert np.mean(steps) <= 7.0


def test_the_phase_agent_stays_in_the_lens_range():
    rig = plane(1.0, 65.0)
    network = constant_network(phase_shift.State.size, len(phase_shift.TRAVELS_V), 10)
    focus(rig, PhaseShiftFocus(PhaseSensor(lambda: 0.0), network))
    assert {value for _, value in rig.history} == {70.0}


def test_the_shipped_network_of_ten_is_the_one_for_it():
    made = QNetwork.load(ten_dqn.default_network()).made
    assert made["rival"] == "ten_dqn"
    assert TenDqnFocus().name == "ten_dqn"
