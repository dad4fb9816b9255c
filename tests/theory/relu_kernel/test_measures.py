"""The norm of a second moment and the rounding of expectations, in exact arithmetic."""

from dataclasses import FrozenInstanceError
from fractions import Fraction

import numpy as np
import pytest
from flint import fmpq, fmpq_mat
from hypothesis import given
from hypothesis import strategies as st

from theory.numerics import TINY
from theory.relu_kernel.bounds import kernel
from theory.relu_kernel.measures import Enclosure, Gaussian, second_moment_norm
from theory.risk import Sample

UNIT = Fraction(1, 2**53)


def rational(v):
    return fmpq(*Fraction(float(v)).as_integer_ratio())


def exceeds_every_eigenvalue(t, S):
    """Whether t I - S is positive definite: all leading minors are positive, in rational arithmetic."""
    n = len(S)
    M = [[rational(t) * (i == j) - rational(S[i, j]) for j in range(n)] for i in range(n)]
    return all(fmpq_mat([row[:k] for row in M[:k]]).det() > 0 for k in range(1, n + 1))


@given(st.integers(0, 2**32), st.integers(1, 6), st.sampled_from([1.0, 1e-3, 1e120, 1e-140, 1e-290]))
def test_the_norm_of_a_gaussian_is_enclosed_in_exact_arithmetic(seed, n, scale):
    rng = np.random.default_rng(seed)
    F = rng.standard_normal((n, rng.integers(1, n + 1)))
    F = np.round(3 * F) if rng.random() < 0.3 else F
    S = scale * (F @ F.T)
    sigma = second_moment_norm(Gaussian(S / 2 + S.T / 2))
    S = Gaussian(S).second_moment
    assert exceeds_every_eigenvalue(sigma.upper, S)
    assert not exceeds_every_eigenvalue(sigma.lower, S)
    assert sigma.lower <= sigma.value <= sigma.upper
    # V^T S V, V^T V and the row sums: 7n + 30 roundings, each of at most n tr S
    assert sigma.upper - sigma.lower <= 4 * n * (7 * n + 30) * float(UNIT) * np.trace(S) + 20 * n * TINY


def test_the_norm_of_a_multiple_of_the_identity_and_of_nothing_is_enclosed():
    for n in (1, 3):
        for size in (0.0, 1e-305, 0.1, 3.0, 1e300):
            sigma = second_moment_norm(Gaussian(size * np.eye(n)))
            assert 0 <= sigma.lower <= size <= sigma.upper
            assert sigma.lower <= sigma.value <= sigma.upper
            assert sigma.value == pytest.approx(size, rel=1e-15)


def test_single_vectors_give_floats_and_batches_arrays():
    sample = Sample(np.eye(2), np.zeros((2, 1)))
    assert type(kernel([1, 0], [1, 0], sample)) is float
    assert kernel([[1, 0]], [1, 0], sample).shape == (1,)


def test_measures_and_enclosures_cannot_be_changed():
    gaussian, found = Gaussian(np.eye(2)), Enclosure(np.zeros(1), np.zeros(1), np.zeros(1))
    with pytest.raises(FrozenInstanceError):
        gaussian.second_moment = np.zeros((2, 2))
    with pytest.raises(FrozenInstanceError):
        found.upper = np.ones(1)
    with pytest.raises(ValueError, match="read-only"):
        gaussian.second_moment[0, 0] = 2.0
