"""Exercises of the notebooks: a learner's function is tried on instances in order of size, the smallest failure comes back.

`attempts` states each exercise and tries an answer, on `instances`, before its judge (`judges`); `solutions` is for teachers.
"""

from checks.exercises.attempts import EXERCISES, Attempt, Exercise, hint, listing, show, verify

__all__ = ["EXERCISES", "Attempt", "Exercise", "hint", "listing", "show", "verify"]
