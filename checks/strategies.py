"""Hypothesis strategies for the objects of this project; the extreme cases are built, not waited for.

    from hypothesis import given
    from checks import strategies as st

    @given(st.samples(3), st.unit_pairs(3))
    def test_my_kernel(sample, pair): ...

Every function checks its arguments at once and raises ValueError naming the one that is wrong.
Hypothesis comes with the `test` extra; nothing else in `checks` needs it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

try:
    from hypothesis import strategies as st
    from hypothesis.extra.numpy import arrays
except ModuleNotFoundError as error:
    raise ModuleNotFoundError("checks.strategies needs hypothesis: pip install 'halfrect[test]'") from error

from theory.networks import ACTIVATIONS, Network
from theory.numerics import Array
from theory.numerics import validation as check
from theory.risk import LOSSES, PENALTIES, Risk, Sample

Strategy = st.SearchStrategy

SAMPLE_KINDS = ("generic", "single_atom", "repeated_atoms", "rank_deficient", "heavy_tailed")
PAIR_KINDS = ("apart", "same", "one_layer", "reordered", "rescaled")
PARAMETER_KINDS = ("generic", "dead_unit", "idle_unit", "parallel_rows", "zero_layer", "zero", "unequal_layers")
SMALLEST_ANGLE = 1e-8
PAPER_LOSSES = ("squared", "absolute")
PAPER_PENALTIES = (None, "second_layer_l1", "ridge")


@dataclass(frozen=True, eq=False)
class UnitPair:
    """Unit vectors w1, w2 (n,) at `angle`: w1 = c m - s d, w2 = c m + s d, c, s = cos, sin of angle / 2.

    bisector m (n,) and difference d (n,) are orthonormal (in one dimension the one that is not needed is zero).
    """

    w1: Array
    w2: Array
    angle: float
    bisector: Array
    difference: Array


def numbers(bound: float = 10.0) -> Strategy[float]:
    """Floats in [-bound, bound]: small integers and anything else, no subnormal ones."""
    bound = check.number(bound, "bound", minimum=0.0, open_minimum=True)
    integers = st.integers(-int(min(bound, 3)), int(min(bound, 3))).map(float)
    return integers | st.floats(-bound, bound, allow_subnormal=False)


def angles(minimum: float = 0.0, *, maximum: float = float(np.pi)) -> Strategy[float]:
    """Angles in [minimum, maximum], within [0, pi]: both ends, 1e-8 from 0 and from pi, right angles, and between."""
    minimum = check.number(minimum, "minimum", minimum=0.0, maximum=np.pi)
    maximum = check.number(maximum, "maximum", minimum=minimum, maximum=np.pi)
    notable = [0.0, SMALLEST_ANGLE, np.pi / 3, np.pi / 2, 2 * np.pi / 3, 3 * np.pi / 4, np.pi - SMALLEST_ANGLE, np.pi]
    allowed = [minimum, maximum] + [float(a) for a in notable if minimum < a < maximum]
    return st.sampled_from(allowed) | st.floats(minimum, maximum, allow_subnormal=False)


def unit_vectors(dimension: int) -> Strategy[Array]:
    """Unit vectors (dimension,): the axes, and every other direction."""
    n = check.positive_integer(dimension, "dimension")

    @st.composite
    def build(draw: st.DrawFn) -> Array:
        w = draw(arrays(float, n, elements=numbers(1.0)))
        w[draw(st.integers(0, n - 1))] = draw(st.sampled_from([1.0, -1.0]))  # the largest entry, so w is not zero
        return w / np.linalg.norm(w)

    return build()


def unit_pairs(dimension: int, *, angle: Strategy[float] | None = None) -> Strategy[UnitPair]:
    """Pairs of unit vectors at an angle drawn from `angle` (default: `angles()`; in one dimension 0 or pi).

    ValueError, while drawing, for an angle that is not possible.
    """
    n = check.positive_integer(dimension, "dimension")
    drawn = _strategy(angle, "angle", angles() if n > 1 else st.sampled_from([0.0, float(np.pi)]))

    @st.composite
    def build(draw: st.DrawFn) -> UnitPair:
        a = check.number(draw(drawn), "angle", minimum=0.0, maximum=np.pi)
        m = draw(unit_vectors(n))
        if n == 1:
            if a not in (0.0, float(np.pi)):
                raise ValueError(f"angle must be 0 or pi in one dimension; got {a}")
            m, d = (m, 0 * m) if a == 0 else (0 * m, m)
        else:
            d = _reflect(np.append(0.0, draw(unit_vectors(n - 1))), m)
        c, s = np.cos(a / 2), np.sin(a / 2)
        return UnitPair(c * m - s * d, c * m + s * d, a, m, d)

    return build()


def second_moments(dimension: int, *, rank: int | None = None) -> Strategy[Array]:
    """Positive semidefinite matrices (dimension, dimension), at every scale from 1e-4 to 1e4.

    rank: at most this rank; None draws it, from the zero matrix to full. ValueError when it exceeds the dimension.
    """
    n = check.positive_integer(dimension, "dimension")
    if rank is not None and check.positive_integer(rank, "rank", minimum=0) > n:
        raise ValueError(f"rank must be at most the dimension {n}; got {rank}")

    @st.composite
    def build(draw: st.DrawFn) -> Array:
        r = draw(st.integers(0, n)) if rank is None else rank
        root = draw(arrays(float, (n, r), elements=numbers(1.0))) * 10.0 ** draw(st.integers(-2, 2))
        product = root @ root.T
        return (product + product.T) / 2

    return build()


def samples(
    inputs: int,
    *,
    outputs: int = 1,
    max_size: int = 12,
    weighted: bool | None = None,
    kinds: Collection[str] = SAMPLE_KINDS,
) -> Strategy[Sample]:
    """Empirical measures on R^inputs x R^outputs with 1 to max_size atoms.

    weighted: whether atoms have weights of their own, zero among them (None: either). kinds: some of SAMPLE_KINDS;
    heavy_tailed spreads the atoms over twelve orders of magnitude, rank_deficient needs no more than rank inputs - 1.
    """
    n = check.positive_integer(inputs, "inputs")
    p = check.positive_integer(outputs, "outputs")
    largest = check.positive_integer(max_size, "max_size")
    check.choice(weighted, "weighted", (None, False, True))
    allowed = _kinds(kinds, SAMPLE_KINDS)

    @st.composite
    def build(draw: st.DrawFn) -> Sample:
        kind = draw(st.sampled_from(allowed))
        N = 1 if kind == "single_atom" else draw(st.integers(1, largest))
        X = draw(arrays(float, (N, n), elements=numbers()))
        Y = draw(arrays(float, (N, p), elements=numbers()))
        if kind == "repeated_atoms":
            rows = draw(arrays(int, N, elements=st.integers(0, max(0, N // 2 - 1))))
            X, Y = X[rows], Y[rows]
        elif kind == "rank_deficient":
            r = draw(st.integers(0, n - 1))
            X = draw(arrays(float, (N, r), elements=numbers(3.0))) @ draw(arrays(float, (r, n), elements=numbers(3.0)))
        elif kind == "heavy_tailed":
            X = X * 10.0 ** draw(arrays(int, (N, 1), elements=st.integers(-6, 6)))
        if not (draw(st.booleans()) if weighted is None else weighted):
            return Sample(X, Y)
        weights = draw(arrays(float, N, elements=st.integers(0, 4).map(float)))
        weights[draw(st.integers(0, N - 1))] += 1.0  # the sum is positive
        return Sample(X, Y, weights)

    return build()


def networks(
    max_width: int = 4,
    *,
    inputs: int | None = None,
    outputs: int | None = None,
    min_depth: int = 1,
    max_depth: int = 3,
    activations: Collection[str] = tuple(ACTIVATIONS),
    output_activations: Collection[str] = tuple(ACTIVATIONS),
    biases: Collection[bool] = (False, True),
) -> Strategy[Network]:
    """Networks of min_depth to max_depth layers with widths 1 to max_width; inputs and outputs fix the outer widths.

    activations, output_activations, biases: which may occur, of those that `theory.networks.Network` knows.
    """
    widest = check.positive_integer(max_width, "max_width")
    ends = [
        None if n is None else check.positive_integer(n, name) for n, name in ((inputs, "inputs"), (outputs, "outputs"))
    ]
    shallow = check.positive_integer(min_depth, "min_depth")
    deep = check.positive_integer(max_depth, "max_depth", minimum=shallow)
    hidden = _kinds(activations, tuple(ACTIVATIONS), "activations")
    last = _kinds(output_activations, tuple(ACTIVATIONS), "output_activations")
    bias = _kinds(biases, (False, True), "biases")

    @st.composite
    def build(draw: st.DrawFn) -> Network:
        widths = draw(st.lists(st.integers(1, widest), min_size=shallow + 1, max_size=deep + 1))
        widths[0], widths[-1] = ends[0] or widths[0], ends[1] or widths[-1]
        activation, output = draw(st.sampled_from(hidden)), draw(st.sampled_from(last))
        return Network(tuple(widths), activation=activation, output=output, bias=draw(st.sampled_from(bias)))

    return build()


def parameter_vectors(
    network: Network, *, kinds: Collection[str] = PARAMETER_KINDS, bound: float = 3.0
) -> Strategy[Array]:
    """Parameter vectors (P,) of a network with entries in [-bound, bound] before the kind is built in.

    kinds: dead_unit (a hidden pre-activation that is never positive: a zero row with a bias of at most 0, or after relu
    or sigmoid also a row of negative weights), idle_unit (zero outgoing weights), parallel_rows (two hidden rows that
    are positive multiples), zero_layer (one W_k = 0), zero, unequal_layers (one layer 1e7 or 1e-7 times the others). A
    network without hidden units has neither dead, idle nor parallel ones; those kinds then fall away; ValueError when
    none is left.
    """
    if not isinstance(network, Network):
        raise ValueError(f"network must be a Network; got {type(network).__name__}")
    elements = numbers(bound)
    allowed = _kinds(kinds, PARAMETER_KINDS)
    if network.depth == 1:
        allowed = [kind for kind in allowed if kind not in ("dead_unit", "idle_unit", "parallel_rows")]
    elif max(network.hidden) == 1:
        allowed = [kind for kind in allowed if kind != "parallel_rows"]
    if not allowed:
        raise ValueError(f"kinds must include one that widths {network.widths} can have; got {tuple(kinds)}")

    @st.composite
    def build(draw: st.DrawFn) -> Array:
        theta = draw(arrays(float, network.size, elements=elements))
        kind = draw(st.sampled_from(allowed))
        W = network.weights(theta)  # views: changing them changes theta
        if kind == "zero":
            theta[:] = 0
        elif kind == "zero_layer":
            W[draw(st.integers(0, network.depth - 1))][:] = 0
        elif kind == "unequal_layers":
            W[draw(st.integers(0, network.depth - 1))][:] *= draw(st.sampled_from([1e7, 1e-7]))
        elif kind != "generic":
            wide = [k for k, n in enumerate(network.hidden) if n > 1 or kind != "parallel_rows"]
            k = draw(st.sampled_from(wide))
            unit = draw(st.integers(0, network.hidden[k] - 1))
            if kind == "idle_unit":
                W[k + 1][:, unit] = 0
            elif kind == "dead_unit":
                _kill(W[k], unit, network, nonnegative_inputs=k > 0 and network.activation in ("relu", "sigmoid"))
            else:
                other = draw(st.integers(0, network.hidden[k] - 2))
                W[k][other + (other >= unit)] = W[k][unit] * draw(st.sampled_from([1.0, 0.5, 2.0]))
        return theta

    return build()


def risks(
    network: Strategy[Network] | None = None,
    *,
    losses: Collection[str] = PAPER_LOSSES,
    penalties: Collection[str | None] = PAPER_PENALTIES,
    max_size: int = 12,
    kinds: Collection[str] = SAMPLE_KINDS,
) -> Strategy[Risk]:
    """Risks of networks drawn from `network` (default: `networks()`) on samples of at most max_size atoms.

    kinds: of samples, as in `samples`; losses, penalties: which may occur, by default those of the paper
    (second_layer_l1 only where there is one hidden layer, path only where there is one at all); kappa is 0 or in [0, 2].
    Targets of logistic and hinge are signs, those of softmax one-hot rows.
    """
    drawn = _strategy(network, "network", networks())
    loss = _kinds(losses, LOSSES, "losses")
    penalty = _kinds(penalties, PENALTIES, "penalties")
    samples(1, max_size=max_size, kinds=kinds)  # for its checks

    @st.composite
    def build(draw: st.DrawFn) -> Risk:
        net = draw(drawn)
        sample = draw(samples(net.widths[0], outputs=net.widths[-1], max_size=max_size, kinds=kinds))
        depths = {"second_layer_l1": (2, 2), "path": (2, np.inf)}
        possible = [p for p in penalty if np.clip(net.depth, *depths.get(p, (1, np.inf))) == net.depth] or [None]
        chosen = draw(st.sampled_from(possible))
        kappa = 0.0 if chosen is None else draw(st.sampled_from([0.0, 0.1]) | st.floats(0, 2, allow_subnormal=False))
        name = draw(st.sampled_from(loss))
        return Risk(net, _with_targets(sample, name), loss=name, kappa=kappa, penalty=chosen)

    return build()


class Problem(NamedTuple):
    """A risk and two nets to be joined: risk, and parameter vectors theta_a, theta_b (P,) of its network."""

    risk: Risk
    theta_a: Array
    theta_b: Array


def problems(
    network: Strategy[Network] | None = None,
    *,
    losses: Collection[str] = PAPER_LOSSES,
    penalties: Collection[str | None] = PAPER_PENALTIES,
    max_size: int = 12,
    kinds: Collection[str] = SAMPLE_KINDS,
    pairs: Collection[str] = PAIR_KINDS,
) -> Strategy[Problem]:
    """A risk and two nets to be joined, each a `Problem`: risk, theta_a, theta_b = problem.

    pairs: some of PAIR_KINDS: two nets drawn apart; the same net twice; one layer changed; and nets that are one
    function: units of a hidden layer in another order, or (relu, identity) rescaled by powers of two, so exactly. The
    last two need a hidden layer. Other arguments as in `risks`.

    >>> Problem._fields
    ('risk', 'theta_a', 'theta_b')
    """
    drawn = risks(network, losses=losses, penalties=penalties, max_size=max_size, kinds=kinds)
    allowed = _kinds(pairs, PAIR_KINDS, "pairs")

    @st.composite
    def build(draw: st.DrawFn) -> Problem:
        risk = draw(drawn)
        net = risk.network
        theta_a = draw(parameter_vectors(net))
        symmetric = {"reordered": net.depth > 1, "rescaled": net.depth > 1 and ACTIVATIONS[net.activation].homogeneous}
        kind = draw(st.sampled_from([pair for pair in allowed if symmetric.get(pair, True)] or ["apart"]))
        theta_b = theta_a.copy()
        if kind == "apart":
            theta_b = draw(parameter_vectors(net))
        elif kind == "one_layer":
            part = net.slices[draw(st.integers(0, net.depth - 1))]
            theta_b[part] = draw(parameter_vectors(net))[part]
        elif kind != "same":
            layer = draw(st.integers(1, net.depth - 1))
            units = net.widths[layer]
            if kind == "reordered":
                theta_b = net.permute(theta_a, layer, draw(st.permutations(range(units))))
            else:
                theta_b = net.rescale(theta_a, layer, 2.0 ** draw(arrays(int, units, elements=st.integers(-3, 3))))
        return Problem(risk, theta_a, theta_b)

    return build()


def _with_targets(sample: Sample, loss: str) -> Sample:
    """The sample with targets that the loss allows, made from its own."""
    if loss in ("logistic", "hinge"):
        return Sample(sample.X, np.where(sample.Y > 0, 1.0, -1.0), sample.weights)
    if loss == "softmax":
        return Sample(sample.X, np.eye(sample.n_out)[sample.Y.argmax(axis=1)], sample.weights)
    return sample


def _kill(rows: Array, unit: int, network: Network, *, nonnegative_inputs: bool) -> None:
    """Make the unit's pre-activation at most 0 for all inputs."""
    weights, bias = (rows[unit, :-1], rows[unit, -1:]) if network.bias else (rows[unit], rows[unit, :0])
    weights[:] = -np.abs(weights) if nonnegative_inputs else 0
    bias[:] = -np.abs(bias)


def _reflect(v: Array, m: Array) -> Array:
    """The Householder reflection that takes the first axis to the unit vector m (or to -m), applied to v."""
    axis = np.zeros_like(m)
    axis[0] = -1.0 if m[0] > 0 else 1.0  # away from m, so that nothing cancels
    normal = m - axis
    return v - 2 * normal * (normal @ v) / (normal @ normal)


def _kinds(values: Collection[Any], allowed: tuple[Any, ...], name: str = "kinds") -> list[Any]:
    if isinstance(values, (str, np.ndarray)) or not isinstance(values, Collection) or not values:
        kinds = ", ".join(map(repr, allowed))
        raise ValueError(f"{name} must be a nonempty collection of {kinds}; got {check.describe(values)}")
    return [check.choice(value, name, allowed) for value in values]


def _strategy(value: Any, name: str, default: Strategy[Any]) -> Strategy[Any]:
    if value is not None and not isinstance(value, st.SearchStrategy):
        raise ValueError(f"{name} must be a Hypothesis strategy; got {value!r}")
    return default if value is None else value


__all__ = [
    "PAIR_KINDS",
    "PARAMETER_KINDS",
    "SAMPLE_KINDS",
    "SMALLEST_ANGLE",
    "Problem",
    "UnitPair",
    "angles",
    "networks",
    "numbers",
    "parameter_vectors",
    "problems",
    "risks",
    "samples",
    "second_moments",
    "unit_pairs",
    "unit_vectors",
]
