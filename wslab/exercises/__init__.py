"""Exercises: what a learner writes, checked against its contract; hints, and the reference in the end."""

from wslab.exercises.checking import check
from wslab.exercises.progress import hint, reference

__all__ = ["check", "hint", "reference"]
