"""Policies of both agents after their success, in goals that hold."""
