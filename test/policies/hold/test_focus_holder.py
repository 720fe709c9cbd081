"""A^L in a hold on pictures: a lens whose focus drifts is corrected, a still scene moves nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pixel_rig import LENS, NEAR_D, PixelRig

from dasha_ros.optics.limited_lens import DistanceRange
from dasha_ros.policies.hold.focus_holder import BAND, FocusHolder
from dasha_ros.policies.policy import FocusTask
from dasha_ros.policies.selection import Choice, Region, Selection

FACE = Region(0.40, 0.32, 0.60, 0.66)
LABELS, SELECTION = Selection.of_goal((), FACE)
TASK = FocusTask(LENS, LABELS, selection=SELECTION)
PER_DIOPTRE = LENS.position(2.0) - LENS.position(1.0)


def hold(looks, *, drift_d=0.0, grey=lambda look: 1.0, sees=lambda look: True, jump_d=0.0, task=TASK):
    """Look ten times a second; the focus drifts by so many dioptres a look, or jumps at the fifteenth.

    Returns the true blur, the sharpness and the positions commanded.
    """
    rig = PixelRig(NEAR_D, lambda blur: 0.0, seed=1)
    holder, choice = FocusHolder(task), Choice(SELECTION, LABELS, TASK.min_score)
    wanted = start = LENS.position(NEAR_D)
    blurs, sharps, positions = [], [], []
    for look in range(looks):
        off = (drift_d * look + (jump_d if look >= 15 else 0.0)) * PER_DIOPTRE
        percept = rig.move(wanted + off)
        blurs.append(rig.blur_px)
        percept = replace(
            percept,
            lens=replace(percept.lens, commanded_position=wanted),
            capture=replace(percept.capture, stamp_ns=round(look * 1e8)),
            mean_grey=percept.mean_grey * grey(look),
        )
        picture = choice(percept)
        if not sees(look):
            picture = replace(picture, detail=picture.detail[:0])
        wanted = holder.act(picture)
        sharps.append(holder.sharpness)
        positions.append(wanted)
    return blurs, sharps, {position for position in positions if position != start}


def test_a_still_scene_moves_nothing_and_is_as_sharp_as_it_was_found():
    _, sharps, moves = hold(40)
    assert not moves
    assert min(sharps[3:]) > 0.9


@pytest.mark.parametrize("px_a_second", [0.7, -0.7, 2.0])
def test_a_focus_that_drifts_is_corrected(px_a_second):
    drift = px_a_second / 10.0 / abs(LENS.blur_px(1.0, 0.0))
    blurs, _, moves = hold(60, drift_d=drift)
    assert moves
    assert sum(blur <= 2.0 for blur in blurs) >= 54


def test_how_sharp_it_is_tells_of_a_jump_and_of_its_correction():
    _, sharps, moves = hold(45, jump_d=0.4)
    assert min(sharps[15:20]) < 0.7
    assert moves
    assert sharps[-1] > 0.85


def test_what_is_not_seen_is_not_followed():
    _, _, moves = hold(40, sees=lambda look: look < 10, jump_d=0.4)
    assert not moves


def test_a_picture_of_another_brightness_is_no_reason_to_move():
    _, _, moves = hold(30, grey=lambda look: 1.0 if look < 10 or look > 15 else 2.0 * BAND)
    assert not moves


def test_no_position_beyond_the_limits_is_commanded():
    # The object leaves the distances that the goal allows.
    near = DistanceRange(0.3, 1.0 / (NEAR_D - 0.1)).limit(LENS)
    _, _, moves = hold(45, jump_d=0.5, task=replace(TASK, lens=near))
    assert moves
    assert all(near.position_min <= position <= near.position_max for position in moves)
