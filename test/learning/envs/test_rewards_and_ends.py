"""What A^L is paid: Eq. 8, its prices, and the ablation that does not ask for a detection."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from dasha_ros.learning.envs.focus_batch import focus_rules
from dasha_ros.learning.envs.rewards_and_ends import LensStep
from dasha_ros.learning.training.presets import load_preset
from dasha_ros.optics.profiles import lens_model
from dasha_ros.policies.moves import MoveLog
from dasha_ros.policies.rewards import exposure_reward

DETECTED = np.array([True, False, True, False])
BRISQUE = np.array([20.0, 40.0, 60.0, -5.0])
DOUBT = np.array([0.0, 0.5, 1.0, 0.2])
SHARP = np.array([0.9, 0.1, 0.4, np.nan])
PEAK = np.array([89.25, 12.75, 165.75, 216.75])


def terms_of(preset):
    log = MoveLog(lens_model(), 4)
    log.reversals[:] = (0, 1, 2, 3)
    step = LensStep(np.array([True, True, False, True]), np.array([False, True, False, True]))
    rules = focus_rules(load_preset(preset))
    return rules.rewards(DETECTED, BRISQUE, log, step, defocus_probability=DOUBT, sharp_probability=SHARP)


def test_equation_8_asks_for_a_detection():
    terms = terms_of("plus")
    np.testing.assert_allclose(terms["detection"], [0.0, -1.0, 0.0, -1.0])
    np.testing.assert_allclose(terms["quality"], [-0.2, 0.0, -0.6, 0.0])


def test_without_detection_brisque_is_paid_whether_or_not_and_nothing_else_differs():
    terms, plus = terms_of("ablation_without_detection_reward"), terms_of("ablation_without_plan")
    assert (terms.pop("detection") == 0.0).all()
    np.testing.assert_allclose(terms.pop("quality"), -0.01 * BRISQUE)
    for name, values in terms.items():
        np.testing.assert_array_equal(values, plus[name])


def test_the_ablations_differ_in_one_switch():
    plus = load_preset("ablation_without_plan")
    for name, switch in (
        ("ablation_without_detection_reward", "detection"),
        ("ablation_without_position", "observe_position"),
    ):
        found = load_preset(name)
        assert found.focus == replace_switch(plus.focus, switch)
        assert (found.exposure, found.encoder, found.lens) == (plus.exposure, plus.encoder, plus.lens)
    deaf = replace_switch(replace_switch(plus.focus, "detection"), "observe_detection")
    assert load_preset("ablation_without_detection").focus == deaf
    rules = focus_rules(plus)
    assert focus_rules(load_preset("ablation_without_detection_reward")) == replace(rules, detection=False)


def test_resting_on_an_object_that_may_be_blurred_costs_and_looking_on_does_not():
    price = load_preset("plus").focus.false_end_price
    assert price > 0.0
    # Only the third lens stays.
    np.testing.assert_allclose(terms_of("plus")["false_end"], [0.0, 0.0, -0.6 * price, 0.0])


def test_where_the_object_was_never_seen_resting_costs_nothing():
    log, nothing = MoveLog(lens_model(), 4), np.zeros(4, bool)
    unknown = np.full(4, np.nan)
    terms = focus_rules(load_preset("plus")).rewards(
        DETECTED,
        BRISQUE,
        log,
        LensStep(nothing, nothing),
        defocus_probability=DOUBT,
        sharp_probability=unknown,
    )
    assert (terms["false_end"] == 0.0).all()


def replace_switch(focus, switch):
    assert getattr(focus, switch) is True
    return focus.model_copy(update={switch: False})


def test_the_intrinsic_reward_is_equation_7_of_the_same_picture_where_it_is_asked_for():
    asked = focus_rules(load_preset("paper", focus__exposure_reward=0.5))
    expected = [exposure_reward(peak, brisque).value for peak, brisque in zip(PEAK, BRISQUE, strict=True)]
    np.testing.assert_allclose(asked.intrinsic(PEAK, BRISQUE)["intrinsic"], 0.5 * np.array(expected))
    assert focus_rules(load_preset("paper")).intrinsic(PEAK, BRISQUE) == {}
