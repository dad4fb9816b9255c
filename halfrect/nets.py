"""Nets of other libraries as a `Network` and a parameter vector: lists of arrays and scikit-learn's estimators.

Nothing is imported from them: what has the attributes of a fitted multilayer perceptron is taken for one. What is not
understood is refused in one line that names the layer and says what to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from theory.networks import ACTIVATIONS, Network
from theory.numerics import Array
from theory.numerics import validation as check

# The words of other libraries for what we call otherwise.
ACTIVATION_NAMES = {"logistic": "sigmoid", "linear": "identity", "none": "identity"}


@dataclass(frozen=True, eq=False, repr=False)
class Net:
    """A network with its parameters theta (P,): the function x -> network(theta, x).

    classes (n_classes,): the labels that a classifier tells apart, in the order of its outputs (with one output, the
    second label is the positive one); None for a regressor, and where it is not known. task: "regression",
    "classification" or None, not known. inputs: names of the columns of X, or None.
    """

    network: Network
    theta: Array
    classes: Array | None = None
    task: str | None = None
    inputs: tuple[str, ...] | None = None

    def __call__(self, X: ArrayLike) -> Array:
        """Outputs (N, n_out) at X (N, n_in): of a classifier the logits."""
        return self.network(self.theta, X)

    def __repr__(self) -> str:
        return f"Net({self.network}, {self.network.size} parameters{f', {self.task}' if self.task else ''})"


def from_arrays(
    weights: Sequence[ArrayLike],
    biases: Sequence[ArrayLike | None] | None = None,
    *,
    activation: str = "relu",
    output: str = "identity",
) -> Net:
    """The net with weights W_1, ..., W_K, of shape (n_k, n_{k-1}) each, and biases b_k (n_k,), None for a layer without.

    A layer computes rho(W_k h + b_k): rows are units. activation: of the hidden layers; output: of the last one.
    ValueError names the layer that does not fit, and whether its transpose would.

    >>> from_arrays([[[1.0, -1.0]], [[2.0]]], [[0.5], None])([[1.0, 0.5]])
    array([[2.]])
    """
    activation, output = _known(activation, "activation"), _known(output, "output")
    weights = _listed(weights, "weights")
    biases = [None for _ in weights] if biases is None else _listed(biases, "biases")
    if len(biases) != len(weights):
        raise ValueError(
            f"biases must hold one vector (or None) for each of the {len(weights)} layers; got {len(biases)}"
        )
    matrices = [_matrix(W, f"layer {k}") for k, W in enumerate(weights, start=1)]
    _fit_together(matrices)
    columns = [_bias(b, len(W), f"layer {k}") for k, (b, W) in enumerate(zip(biases, matrices), start=1)]
    has_bias = any(b is not None for b in biases)
    network = Network((matrices[0].shape[1], *map(len, matrices)), activation, output, bias=has_bias)
    blocks = [np.column_stack([W, b]) if has_bias else W for W, b in zip(matrices, columns)]
    return Net(network, network.pack(blocks))


def from_sklearn(estimator: Any) -> Net:
    """The net of an estimator of scikit-learn, a fitted MLPRegressor or MLPClassifier: of this one the logits.

    ValueError for what is not one of them, and says what to pass instead, and for an estimator that is not fitted.
    """
    name = type(estimator).__name__
    for attribute, advice in _WRAPPED.items():
        if hasattr(estimator, attribute):
            raise ValueError(f"net must be an MLPRegressor or MLPClassifier; got {name}. {advice}")
    if not hasattr(estimator, "coefs_") or not hasattr(estimator, "intercepts_"):
        hint = ", which is not fitted: call fit first" if hasattr(estimator, "hidden_layer_sizes") else _INSTEAD
        raise ValueError(f"net must be a fitted MLPRegressor or MLPClassifier; got {name}{hint}")
    last = str(getattr(estimator, "out_activation_", "identity"))
    classifier = hasattr(estimator, "classes_")
    allowed = ("softmax", "logistic") if classifier else ("identity",)
    if last not in allowed:
        raise ValueError(
            f"the output of {name} must be {' or '.join(allowed)}; got {last!r}, which has no convex loss here"
        )
    weights = [np.asarray(W).T for W in estimator.coefs_]
    net = from_arrays(weights, list(estimator.intercepts_), activation=str(estimator.activation))
    inputs = getattr(estimator, "feature_names_in_", None)
    return Net(
        net.network,
        net.theta,
        classes=np.asarray(estimator.classes_) if classifier else None,
        task="classification" if classifier else "regression",
        inputs=None if inputs is None else tuple(map(str, inputs)),
    )


_INSTEAD = (
    "; or pass a pair (weights, biases), a state dict, or what halfrect.from_arrays or halfrect.from_state_dict gives"
)
_WRAPPED = {
    "steps": "Of a Pipeline pass its last step, and the X that its other steps give: pipeline[-1], pipeline[:-1].transform(X)",
    "best_estimator_": "Of a search pass its best_estimator_",
    "regressor_": "Of a TransformedTargetRegressor pass its regressor_, and y as its transformer_ gives it",
}


def same_architecture(net_a: Net, net_b: Net) -> None:
    """ValueError that says in which layer net_a and net_b differ, or in which activation, classes or inputs."""
    a, b = net_a.network, net_b.network
    if a.depth != b.depth:
        raise ValueError(
            f"both nets must have as many layers; net_a has {a.depth}, widths {a.widths}, net_b {b.depth}, widths {b.widths}"
        )
    for k, (n, m) in enumerate(zip(a.widths, b.widths)):
        if n != m:
            where = "the inputs" if k == 0 else "the outputs" if k == a.depth else f"hidden layer {k}"
            raise ValueError(f"both nets must have the same widths; {where}: {n} in net_a, {m} in net_b")
    for name in ("activation", "output"):
        if getattr(a, name) != getattr(b, name):
            raise ValueError(f"both nets must have the same {name}; got {getattr(a, name)!r} and {getattr(b, name)!r}")
    if net_a.task is not None and net_b.task is not None and net_a.task != net_b.task:
        raise ValueError(f"both nets must solve the same task; net_a is for {net_a.task}, net_b for {net_b.task}")
    if net_a.classes is not None and net_b.classes is not None and not np.array_equal(net_a.classes, net_b.classes):
        raise ValueError(
            f"both nets must know the same classes; got {net_a.classes.tolist()} and {net_b.classes.tolist()}"
        )
    if net_a.inputs is not None and net_b.inputs is not None and net_a.inputs != net_b.inputs:
        raise ValueError(f"both nets must have been fitted on the same columns; got {net_a.inputs} and {net_b.inputs}")


def with_common_biases(net_a: Net, net_b: Net) -> tuple[Net, Net]:
    """net_a and net_b, both with biases (zero where there were none) as soon as one of them has biases."""
    if net_a.network.bias == net_b.network.bias:
        return net_a, net_b
    return _with_zero_biases(net_a), _with_zero_biases(net_b)


def _with_zero_biases(net: Net) -> Net:
    if net.network.bias:
        return net
    full = Network(net.network.widths, net.network.activation, net.network.output, bias=True)
    blocks = [np.column_stack([W, np.zeros(len(W))]) for W in net.network.weights(net.theta)]
    return Net(full, full.pack(blocks), net.classes, net.task, net.inputs)


def as_array(value: Any, name: str) -> Array:
    """An array (...) of finite real numbers of a value that numpy takes, or of a tensor on another device.

    ValueError names it.
    """
    for step in ("detach", "cpu"):
        if callable(getattr(value, step, None)):
            value = getattr(value, step)()
    return check.finite_array(value, name)


def _matrix(value: Any, layer: str) -> Array:
    W = as_array(value, f"weights of {layer}")
    if W.ndim > 2:
        raise ValueError(
            f"weights of {layer} must be a matrix; got shape {W.shape}: convolutions are not supported, nets here are "
            "fully connected"
        )
    if W.ndim != 2 or 0 in W.shape:
        raise ValueError(
            f"weights of {layer} must be a matrix (n_out, n_in) with n_out, n_in >= 1; got shape {W.shape}"
        )
    return W


def _bias(value: Any, units: int, layer: str) -> Array:
    if value is None:
        return np.zeros(units)
    b = as_array(value, f"biases of {layer}")
    if b.shape != (units,):
        raise ValueError(
            f"biases of {layer} must have shape ({units},), one entry per row of its weights; got {b.shape}"
        )
    return b


def _fit_together(matrices: list[Array]) -> None:
    for k, (below, above) in enumerate(pairwise(matrices), start=1):
        if above.shape[1] != len(below):
            turned = all(W.shape[0] == V.shape[1] for W, V in zip(matrices[1:], matrices))
            hint = ". The transposes would fit: pass W.T of each" if turned else ""
            raise ValueError(
                f"layer {k + 1} must take the {len(below)} outputs of layer {k}, shape (n_out, {len(below)}); got "
                f"{above.shape}{hint}"
            )


def _listed(values: Any, name: str) -> list[Any]:
    if isinstance(values, (str, bytes, dict)) or not np.iterable(values) or getattr(values, "ndim", 0) == 2:
        raise ValueError(f"{name} must be a list with one array per layer; got {check.describe(values)}")
    found = list(values)
    if not found:
        raise ValueError(f"{name} must hold at least one layer; got an empty list")
    return found


def _known(name: Any, argument: str) -> str:
    word = ACTIVATION_NAMES.get(str(name).lower(), str(name).lower()) if isinstance(name, str) else name
    return str(check.choice(word, argument, tuple(ACTIVATIONS)))
