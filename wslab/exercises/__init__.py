"""Exercises: what a learner writes, checked and judged live; hints, and the reference in the end."""

from wslab.exercises import zoo
from wslab.exercises.capstone import judge_file
from wslab.exercises.checking import check
from wslab.exercises.diagnosing import capture_task
from wslab.exercises.judging import judge
from wslab.exercises.progress import hint, reference

__all__ = ["capture_task", "check", "hint", "judge", "judge_file", "reference", "zoo"]
