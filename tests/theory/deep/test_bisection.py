"""The bisection behind certified error rates, on images whose wrong parameters are written down as intervals."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nightly import instances

from theory.deep import certificates

FINE = 97  # interval ends are multiples of 1 / 97: no window ends there, but at 0 and 1


@st.composite
def intervals(draw):
    """For each image the closed intervals of t where it is wrong."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    found = []
    for _ in range(draw(st.integers(1, 9))):
        ends = np.sort(rng.choice(FINE + 1, 2 * int(rng.integers(0, 3)), replace=False)).reshape(-1, 2)
        found.append([(Fraction(int(a), FINE), Fraction(int(b), FINE)) for a, b in ends])
    return found


def verdicts_of(wrong, looked_at):
    """In place of `_verdicts`: exact, in blocks of two images."""

    def verdicts(segment, X, labels, images, middle, half):
        lo, hi = Fraction(middle) - Fraction(half), Fraction(middle) + Fraction(half)
        looked_at.append((lo, hi, len(images)))
        for i in range(0, len(images), 2):
            yield np.array([verdict(wrong[k], lo, hi) for k in images[i : i + 2]])

    return verdicts


def verdict(parts, lo, hi):
    if any(a <= lo and hi <= b for a, b in parts):
        return -1
    return 0 if any(a <= hi and lo <= b for a, b in parts) else 1


def errors_at(wrong, t):
    return sum(any(a <= t <= b for a, b in parts) for parts in wrong)


@instances(100)
@given(
    wrong=intervals(),
    ceiling=st.one_of(st.none(), st.floats(-0.1, 1.1), st.sampled_from([0.0, 0.5, 1.0])),
    tolerance=st.sampled_from([0.0, 0.2, 0.5]),
    max_windows=st.sampled_from([1, 3, 8, 64, 300]),
)
def test_bounds_hold_at_every_level_sharpen_and_stop_where_they_are_told_to(wrong, ceiling, tolerance, max_windows):
    N, looked_at, seen = len(wrong), [], []
    ends = {0, 1, *(v for parts in wrong for part in parts for v in part)}
    true = max(errors_at(wrong, Fraction(t)) for t in ends)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(certificates, "_verdicts", verdicts_of(wrong, looked_at))
        steps, levels = [], []
        for found in certificates._bisect(
            None, np.zeros(N), np.zeros(N), ceiling, tolerance, max_windows, lambda *at: seen.append(at)
        ):
            steps.append(found)
            levels.append(len(looked_at))
    first = min(8, 2 ** (max_windows.bit_length() - 1))
    assert [s.windows for s in steps] == [first << k for k in range(len(steps))]
    assert steps[-1].windows <= max_windows
    work = undecided = 0
    for k, s in enumerate(steps):
        low, high = round(s.lower * N), round(s.upper * N)
        windows = [(Fraction(w, s.windows), Fraction(w + 1, s.windows)) for w in range(s.windows)]
        classes = [[verdict(parts, *window) for parts in wrong] for window in windows]
        plain = max(sum(v <= 0 for v in row) for row in classes)
        assert low <= true <= high
        assert low >= max(sum(v < 0 for v in row) for row in classes)
        assert errors_at(wrong, Fraction(s.t)) >= low
        limit = -1 if ceiling is None else sum(Fraction(v, N) <= Fraction(ceiling) for v in range(N + 1)) - 1
        assert high <= max(plain, low, limit)
        if high > max(low, limit):
            assert high == plain  # no window is dropped that still matters
        if k:
            assert (s.lower, -s.upper) >= (steps[k - 1].lower, -steps[k - 1].upper)
            assert s.upper <= steps[k - 1].upper
        here = looked_at[levels[k - 1] if k else 0 : levels[k]]
        work += sum(count for lo, hi, count in here if hi > lo)
        assert s.work == work
        matters = [row for row in classes if sum(v <= 0 for v in row) > max(low, limit)]
        undecided = sum(v == 0 for row in matters for v in row)
        assert s.undecided == undecided
        done = s.upper - s.lower <= tolerance or (ceiling is not None and (s.upper <= ceiling or s.lower > ceiling))
        assert done == (k == len(steps) - 1) or 2 * s.windows > max_windows
    firsts = [of for done, of in seen]
    assert all(done <= of for done, of in seen)
    assert sum(done == of for done, of in seen) == len({*firsts}) or not seen


def test_an_error_that_a_single_parameter_has_is_met_at_the_point():
    """Two images, wrong on intervals that meet in one point: both windows see one, the point sees both."""
    wrong = [[(Fraction(0), Fraction(9, 16))], [(Fraction(9, 16), Fraction(1))]]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(certificates, "_verdicts", verdicts_of(wrong, []))
        first, *_ = certificates._bisect(None, np.zeros(2), np.zeros(2), None, 0.0, 8, None)
    assert (first.lower, first.upper, first.t) == (1.0, 1.0, 9 / 16)
