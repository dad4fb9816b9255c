"""Exercises of the notebooks: a learner's function is attacked with Hypothesis, the smallest failure comes back."""

from checks.exercises.attempts import EXERCISES, Attempt, Exercise, show, verify

__all__ = ["EXERCISES", "Attempt", "Exercise", "show", "verify"]
