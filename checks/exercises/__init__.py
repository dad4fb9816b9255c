"""Exercises of the notebooks: a learner's function is tried on instances in order of size, the smallest failure comes back."""

from checks.exercises.attempts import EXERCISES, Attempt, Exercise, hint, listing, show, verify

__all__ = ["EXERCISES", "Attempt", "Exercise", "hint", "listing", "show", "verify"]
