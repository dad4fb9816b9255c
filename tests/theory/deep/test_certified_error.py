"""Bounds on the error rate along a segment against exact counts, and what they refuse."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from exact_layers import exact_wrong
from hypothesis import given, settings
from hypothesis import strategies as st

from theory import deep
from theory.deep import (
    Conv,
    Dense,
    Flatten,
    Lstm,
    Model,
    Pool,
    Relu,
    certificate,
    certified_error,
    enclosures,
    error_bounds,
)
from theory.deep.enclosures import scores

NET = Model((Conv(1, 2, 2), Pool(2, 2), Relu(), Flatten(), Dense(8, 3), Relu(), Dense(3, 3)), (4, 4, 1))
LINE = Model((Dense(1, 2),), (1,))  # scores affine in t: right where x (w_0 - w_1) + b_0 - b_1 > 0


def instance(seed, integers=False, images=6):
    rng = np.random.default_rng(seed)
    a, b = rng.standard_normal((2, NET.size))
    X = rng.standard_normal((images, 4, 4, 1))
    if integers:
        a, b, X = np.round(2 * a), np.round(2 * b), np.round(X)
    labels = np.where(rng.random(images) < 0.6, scores(NET, a, X).argmax(axis=1), rng.integers(0, 3, images))
    return a, b, X, labels, rng


@settings(max_examples=30 if settings().max_examples <= 50 else settings().max_examples)
@given(st.integers(0, 2**32), st.booleans())
def test_lower_is_met_and_upper_is_never_passed_in_exact_arithmetic(seed, integers):
    a, b, X, labels, rng = instance(seed, integers)
    found = certified_error(NET, a, b, X, labels, max_windows=256)
    assert exact_wrong(NET, a, b, Fraction(found.t), X, labels).mean() >= found.lower
    for t in (0.0, 1.0, *rng.random(4)):
        assert exact_wrong(NET, a, b, Fraction(float(t)), X, labels).mean() <= found.upper
    assert found.lower <= found.upper
    assert found.images == 6


@pytest.mark.parametrize("seed", range(6))
def test_the_maximum_is_found_exactly_where_flips_are_apart(seed):
    """Scores x (1 + t) and 1: an image flips at t = 1 / x - 1."""
    rng = np.random.default_rng(seed)
    at = rng.permutation(64)[:12] / 64 + 0.004  # where each image flips
    x = 1 / (at + 1)
    theta = [np.array([w, 0.0, 0.0, 1.0]) for w in (1.0, 2.0)]
    labels = rng.integers(0, 2, 12)  # label 0 is wrong until the flip, label 1 after it
    true = max(
        int(((labels == 0) & (at > t) | (labels == 1) & (at < t)).sum()) for t in [0.0, 1.0, *(at + 1e-6), *(at - 1e-6)]
    )
    found = certified_error(LINE, *theta, x[:, None], labels)
    assert found.lower == found.upper == true / 12


def test_bounds_sharpen_and_any_of_them_will_do():
    a, b, X, labels, _ = instance(5, images=60)
    found = list(error_bounds(NET, a, b, X, labels, max_windows=1024))
    assert len(found) > 2
    for one, next_ in itertools.pairwise(found):
        assert one.lower <= next_.lower <= next_.upper <= one.upper
        assert next_.windows == 2 * one.windows
        assert next_.work > one.work
    assert next(iter(error_bounds(NET, a, b, X, labels))) == found[0]
    assert certified_error(NET, a, b, X, labels, max_windows=1024) == found[-1]


@pytest.mark.parametrize("seed", range(8))
def test_a_ceiling_is_decided_as_without_it_and_the_bounds_hold(seed):
    a, b, X, labels, _ = instance(seed, images=40)
    exact = certified_error(NET, a, b, X, labels, max_windows=2**14)
    for ceiling in (0.0, exact.lower - 0.025, exact.lower, exact.upper, exact.upper + 0.1, 1.0):
        found = certified_error(NET, a, b, X, labels, ceiling=ceiling, max_windows=2**14)
        assert found.work <= exact.work
        assert found.lower <= exact.upper
        assert exact.lower <= found.upper
        if exact.lower == exact.upper:
            assert (found.upper <= ceiling) == (exact.upper <= ceiling)


def test_a_tolerance_and_a_number_of_windows_end_it():
    a, b, X, labels, _ = instance(5, images=60)
    assert certified_error(NET, a, b, X, labels, tolerance=1.0).windows == 8
    assert certified_error(NET, a, b, X, labels, max_windows=3).windows == 2
    assert certified_error(NET, a, b, X, labels, max_windows=40).windows <= 32


def test_a_tie_is_wrong():
    tied = np.zeros(4)
    found = certified_error(LINE, tied, tied, [[1.0]], [0], max_windows=16)
    assert found.upper == 1.0


def test_progress_is_told_and_ends_at_all():
    a, b, X, labels, _ = instance(5, images=60)
    told = []
    certified_error(NET, a, b, X, labels, max_windows=16, progress=lambda done, of: told.append((done, of)))
    assert (480, 480) in told
    assert all(done <= of for done, of in told)


def test_float32_vectors_and_lists_are_taken_as_they_are():
    a, b, X, labels, _ = instance(2)
    a32, b32 = a.astype(np.float32), b.astype(np.float32)
    found = certified_error(NET, a32, b32, X.tolist(), labels.tolist(), max_windows=64)
    assert found == certified_error(NET, a32.astype(float), b32.astype(float), X, labels.astype(float), max_windows=64)
    assert "of 6 wrong" in repr(found)
    assert "CertifiedError(" in repr(found)


def test_the_same_segment_backwards_and_in_other_units_has_the_same_bounds():
    a, b, X, labels, _ = instance(5, images=60)
    found = certified_error(NET, a, b, X, labels, max_windows=64)
    back = certified_error(NET, b, a, X, labels, max_windows=64)
    assert (back.lower, back.upper) == (found.lower, found.upper)


def lowered(result):
    """The layer as if it made a tenth less of the remainder."""
    form, step = result
    return form._replace(rest=form.rest - step.made + step.made / 1.1), step._replace(made=step.made / 1.1)


# In s = 2 t - 1 the margins below are b + 1 - |s| / 2, |s| - s - b and s^2 - b: what a layer makes of the remainder is all there is.
KINK = Model((Dense(1, 2), Relu(), Dense(2, 2)), (1,))
SWITCH = Model((Conv(1, 1, 1), Pool(2, 2), Flatten(), Dense(1, 2)), (2, 1, 1))
BEND = Model((Dense(1, 1), Relu(), Dense(1, 2)), (1,))
ADVERSE = {
    "kink": (KINK, [0, 0, -1, 1, -1, 0, 0.5, 0, -0.52, 0], [0, 0, 1, 3, -1, 0, 0.5, 0, -0.52, 0], [[1.0]]),
    "switch": (SWITCH, [-1, 0, 1, 0, 1, 0.05], [1, 0, 1, 0, -1, 0.05], [[[[1.0]], [[-1.0]]]]),
    "bend": (BEND, [0, 1, -1, 0, 2, 0.04], [0, 3, 1, 0, -2, 0.04], [[1.0]]),
}


@pytest.mark.parametrize("name", ADVERSE)
def test_a_layer_that_makes_a_tenth_too_little_calls_wrong_images_right(monkeypatch, name):
    net, a, b, X = ADVERSE[name]
    wrong = max(exact_wrong(net, a, b, Fraction(k, 8), X, [0]).mean() for k in range(9))
    assert wrong == 1.0
    assert certified_error(net, a, b, X, [0], max_windows=1).upper == 1.0
    rules, linear = enclosures.RULES, enclosures.linear
    monkeypatch.setattr(
        enclosures, "RULES", {kind: lambda *args, rule=rule: lowered(rule(*args)) for kind, rule in rules.items()}
    )
    monkeypatch.setattr(enclosures, "linear", lambda *args: lowered(linear(*args)))
    assert certified_error(net, a, b, X, [0], max_windows=1).upper == 0.0


GOOD = instance(0)[:4]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": 3}, "model must be a Model; got int"),
        ({"theta_0": np.zeros(3)}, r"theta_0 must .*"),
        ({"theta_1": np.full(NET.size, np.nan)}, "theta_1 must be finite"),
        ({"X": np.zeros((6, 4, 4))}, r"X must have shape \(N, 4, 4, 1\), N >= 1; got \(6, 4, 4\)"),
        ({"X": np.zeros((0, 4, 4, 1)), "labels": []}, r"X must have shape"),
        ({"labels": [0, 1]}, "labels must be as many as images, 6; got 2"),
        ({"labels": [0, 1, 2, 3, 0, 1]}, "labels must be integers from 0 to 2; entry 3 is 3"),
        ({"labels": [0, 1, 2, 0.5, 0, 1]}, "entry 3 is 0.5"),
        ({"tolerance": -1.0}, "tolerance must"),
        ({"max_windows": 0}, "max_windows must"),
        ({"ceiling": np.nan}, "ceiling must"),
    ],
)
def test_bad_input_names_the_argument(change, message):
    a, b, X, labels = GOOD
    given_ = {"model": NET, "theta_0": a, "theta_1": b, "X": X, "labels": labels} | change
    with pytest.raises(ValueError, match=message):
        certified_error(**given_)


def test_a_certificate_bounds_a_piece_and_refuses_what_does_not_fit_at_once():
    a, b, X, labels = GOOD
    bound = certificate(NET, X, labels, max_windows=64)
    assert bound(a, b) == certified_error(NET, a, b, X, labels, max_windows=64)
    with pytest.raises(ValueError, match="labels must be integers from 0 to 2"):
        certificate(NET, X, labels + 3)
    with pytest.raises(ValueError, match="model must be a Model"):
        certificate(3, X, labels)


def test_a_string_with_a_certificate_is_connected_where_that_proves_it():
    pytest.importorskip("jax")
    rng = np.random.default_rng(0)
    X = rng.random((40, 8, 8)).astype(np.float32)
    y = (X.mean(axis=(1, 2)) > 0.5).astype(int)
    task = deep.tasks.digits(X, y, X, y)
    bound = certificate(task.net, X[..., None], y)
    ends = task.draw(2, rng=0).astype(float)
    found = deep.Deep(task, rng=0, certificate=bound).bound(ends[:1], ends[1:], 1.0)
    assert found.value[0] <= found.upper[0] == bound(*ends).upper <= 1.0


def test_nets_without_a_rule_are_refused_in_one_line():
    normed = deep.models.cifar()
    with pytest.raises(ValueError, match="ResponseNorm"):
        certified_error(normed, np.zeros(normed.size), np.zeros(normed.size), np.zeros((1, 24, 24, 3)), [0])
    with pytest.raises(ValueError, match="model must be a Model; got Lstm"):
        certified_error(Lstm(10, 2), np.zeros(3), np.zeros(3), np.zeros((1, 3)), [0])
