"""What is right about an answer: one judge for each exercise of `checks.exercises.attempts`.

A judge takes the instance, by the names of its arguments, and the answer; it returns None, or in words what is wrong.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from checks.exercises.instances import Instance
from theory.maxima import segment_maximum
from theory.numerics import Array
from theory.numerics import validation as check
from theory.paths import Path
from theory.relu_kernel import kernel, proof_terms, sharp_bounds
from theory.risk import Risk, Sample

LONG = 1000  # characters of an answer that are shown
MOST = 10**6  # entries of a list that is looked at: numpy would take as long, and as much memory, as is asked for
TOLERANCE = 1e-8  # relative to the size of the numbers of an instance; exercises are about formulas, not roundings


def short(value: Any) -> str:
    """A value in one line, as an attempt shows it."""
    if isinstance(value, Risk):
        return f"Risk({value.network}, X = {short(value.sample.X)}, Y = {short(value.sample.Y)})"
    try:
        if isinstance(value, float):  # of numpy too; ten digits, as what is right is right to eight
            return repr(float(f"{value:.10g}"))
        if isinstance(value, np.ndarray):
            return np.array2string(value, separator=", ", threshold=40).replace("\n", "")
        if type(value) in (list, tuple):
            text = ", ".join(short(part) for part in value[:LONG])
            return f"[{text}]" if len(text) <= LONG else f"[{text[:LONG]}...]"
        text = repr(value.item() if isinstance(value, np.generic) else value).replace("\n", " ")
    except (Exception, SystemExit):  # an integer of too many digits, or an object of someone else's
        return f"{type(value).__name__} without a printable form"
    return text if len(text) <= LONG else text[: LONG - 3] + "..."


def _looked_at(answer: Any) -> None:
    """ValueError for an answer with masked entries, or with too many."""
    if not isinstance(answer, np.ndarray) and hasattr(answer, "__len__") and len(answer) > MOST:
        raise ValueError(f"it has {len(answer)} entries")
    check.unmasked(answer, "the answer")


def _numbers(answer: Any) -> Array:
    """The answer as finite floats (...); ValueError where it is none, masked or complex."""
    _looked_at(answer)
    return check.finite_array(answer, "the answer")


def _number(answer: Any) -> float:
    """The answer as one float, infinity included; ValueError where it is none."""
    _looked_at(answer)
    if isinstance(answer, (str, bytes)) or np.iscomplexobj(answer) or np.size(answer) != 1:
        raise ValueError(f"it must be one real number; it is {check.describe(answer)}")
    return float(np.asarray(answer, dtype=float).reshape(()))


def _close(answer: Any, wanted: Array | float, says: str = "The numbers differ.", scale: float = 0.0) -> str | None:
    """None where the answer is `wanted` up to rounding, else `says`, or which shape it should have."""
    answer, wanted = _numbers(answer), np.asarray(wanted, dtype=float)
    if answer.shape != wanted.shape:
        return f"The shape must be {wanted.shape}, it is {answer.shape}."
    size = max(scale, float(np.abs(wanted).max(initial=0.0)), 1e-12)
    return None if bool((np.abs(answer - wanted) <= TOLERANCE * size).all()) else says


def _same_function(weights: Array, new: Array, Z: Array, scale: float) -> str | None:
    """None where both outgoing weights, V (p, h) or v (h,), give the same on the features Z (h, N)."""
    says = f"The function changed: on the samples it was {short(weights @ Z)}, it is {short(new @ Z)}."
    return _close(new @ Z, weights @ Z, says, scale)


def kernel_value(instance: Instance, answer: Any) -> str | None:
    """The kernel [w1, w2]_Z of the sample."""
    sample = Sample(instance["X"], np.zeros((len(instance["X"]), 1)))
    value = kernel(instance["w1"], instance["w2"], sample)
    return _close(answer, value, scale=float(np.trace(sample.second_moment)))


def upper_bound(instance: Instance, answer: Any) -> str | None:
    """A finite bound on the risk of the segment, at most 100 times its maximum."""
    true, bound = segment_maximum(instance["risk"], instance["theta_a"], instance["theta_b"]), _number(answer)
    if not np.isfinite(bound):
        return "An infinite bound is of no use: give a finite one."
    if bound < true.value * (1 - 1e-9):
        return f"The risk is {true.value:.6g} at t = {true.t:.6g}, above your bound."
    return None if bound <= 100 * true.upper else f"A bound, but useless: the maximum is {true.value:.6g}."


def sharp_lower_bound(instance: Instance, answer: Any) -> str | None:
    """A lower bound of the kernel, no worse than the sharp one in its norm form, and than 0.

    The answer is given without the vectors and the points: the kernel itself cannot be given back.
    """
    sample = Sample(instance["X"], np.zeros((len(instance["X"]), 1)))
    w1, w2 = instance["w1"], instance["w2"]
    bound = _number(answer)
    bounds, size = sharp_bounds(w1, w2, sample), TOLERANCE * max(float(np.trace(sample.second_moment)), 1e-12)
    if bound > (value := float(kernel(w1, w2, sample))) + size:
        return f"Not a lower bound: of these units on these points the kernel is {value:.6g}."
    wanted = float(np.maximum(bounds.norm, 0))
    return None if bound >= wanted - size else f"A lower bound, but {wanted:.6g} is one as well."


def broken_step(instance: Instance, answer: Any) -> str | None:
    """Atoms on which E1 exceeds what the printed proof says of it."""
    X = _numbers(answer)
    if X.ndim != 2 or X.shape[1] != 2 or not 1 <= len(X) <= 8:
        return "Give one to eight atoms in the plane, an array of shape (N, 2)."
    c, s = np.cos(instance["alpha"] / 2), np.sin(instance["alpha"] / 2)
    terms = proof_terms([c, -s], [c, s], Sample(X, np.zeros((len(X), 1))))
    allowed = float(terms.e1_printed[0])
    if float(terms.E1) > allowed + 1e-9 * float(np.sum(X**2)):
        return None
    return f"E1 = {float(terms.E1):.6g} is not above r^2 sin^2(alpha) E[|x|^2 1_B] = {allowed:.6g}."


def freed_unit(instance: Instance, answer: Any) -> str | None:
    """The same function with a column that is exactly zero."""
    V, Z, new = instance["V"], instance["Z"], _numbers(answer)
    if new.shape != V.shape:
        return f"The shape must be that of V, {V.shape}; it is {new.shape}."
    if not (new == 0).all(axis=0).any():
        return "No column of the answer is exactly zero: no unit is idle."
    return _same_function(V, new, Z, float((np.abs(V) @ np.abs(Z)).max() + np.abs(new).max() * np.abs(Z).max()))


def fifteen_puzzle(instance: Instance, answer: Any) -> str | None:
    """Steps at constant function that bring a unit into the hole."""
    W, v, hole, unit = (instance[name] for name in ("W", "v", "hole", "unit"))
    steps = [(_numbers(w), _numbers(u)) for w, u in itertools.islice(answer, 9)]
    if not 1 <= len(steps) <= 8:
        return "Give one to eight steps (W, v)."
    rng, before = np.random.default_rng(0), (W, v)
    X = rng.standard_normal((W.shape[1], 32))
    for k, (w, u) in enumerate(steps):
        if w.shape != W.shape or u.shape != v.shape:
            return f"Step {k}: shapes must stay {W.shape} and {v.shape}."
        for t in (0.25, 0.5, 1.0):
            rows, out = before[0] + t * (w - before[0]), before[1] + t * (u - before[1])
            if not np.allclose(out @ np.maximum(rows @ X, 0), v @ np.maximum(W @ X, 0), atol=1e-8):
                return f"Step {k}: the function changes on the way (t = {t})."
        before = (w, u)
    rows, out = before
    moved = np.array_equal(rows[hole], W[unit]) and out[hole] == v[unit] and out[unit] == 0
    return None if moved else f"At the end unit {hole} should be old unit {unit}, and unit {unit} idle."


def sparse_weights(instance: Instance, answer: Any) -> str | None:
    """The same function with at most N units and no larger l1 norm."""
    Z, v, new = instance["Z"], instance["v"], _numbers(answer)
    if new.shape != v.shape:
        return f"The shape must be {v.shape}; it is {new.shape}."
    active, N = np.count_nonzero(new), Z.shape[1]
    if active > N:
        return f"{active} units are active, more than N = {N}."
    if np.abs(new).sum() > np.abs(v).sum() * (1 + TOLERANCE):
        return f"The l1 norm rose from {np.abs(v).sum():.6g} to {np.abs(new).sum():.6g}."
    return _same_function(v, new, Z, float(np.abs(v) @ Z.max(axis=1)))


def coin_toss(instance: Instance, answer: Any) -> str | None:
    """E over l draws of |f - f_l|^2 = (|v|_1 sum_j |v_j| |z_j|^2 - |f|^2) / l, means over the sample."""
    Z, v, units = instance["Z"], instance["v"], instance["units"]
    f, norm = v @ Z, np.abs(v).sum()
    variance = norm * (np.abs(v) @ (Z**2).mean(axis=1)) - (f**2).mean()
    return _close(answer, variance / units, scale=float(norm**2 * (Z**2).max()))


def normalised_length(instance: Instance, answer: Any) -> str | None:
    """Length over the distance of the ends."""
    wanted = Path(instance["points"]).normalised_length
    if not np.isfinite(wanted):
        return None if _number(answer) == np.inf else "A loop has infinite normalised length."
    return _close(answer, wanted)


def orientation(instance: Instance, answer: Any) -> str | None:
    """The sign of det Z."""
    wanted = float(np.sign(np.linalg.det(np.maximum(instance["W"] @ instance["X"].T, 0))))
    return None if _number(answer) == wanted else f"det Z has sign {wanted:+.0f}."


def barrier(instance: Instance, answer: Any) -> str | None:
    """Origin inside the triangle, cyclic target: e(2) = min over pairs of the smaller eigenvalue of the Gram matrix / 3."""
    X = instance["X"]
    pairs = [X[[0, 1]], X[[0, 2]], X[[1, 2]]]
    return _close(answer, min(np.linalg.eigvalsh(P @ P.T)[0] for P in pairs) / 3, scale=float((X**2).sum()))
