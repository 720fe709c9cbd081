"""Policies played in episodes whose truth is known."""
