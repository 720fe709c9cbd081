"""Policies that were learned by reward: what they observe, their networks, their files."""
