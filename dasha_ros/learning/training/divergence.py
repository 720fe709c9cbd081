"""Recognises a learner that has diverged: its network returns values that are not numbers."""

from __future__ import annotations


def says_diverged(error: ValueError) -> bool:
    """Whether PyTorch refused to draw an action because logits are infinite or not numbers."""
    return "to satisfy the constraint" in str(error)
