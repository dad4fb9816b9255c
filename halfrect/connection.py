"""`connect`: a certified path between two nets, and everything found out about it on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path as File
from typing import Any

import numpy as np

from checks.certificates import document
from halfrect import data, pictures, routes
from halfrect.nets import Net, from_arrays, from_sklearn, same_architecture, with_common_biases
from halfrect.state_dicts import from_state_dict
from theory.maxima import Maximum, PathMaximum, is_constant_along, is_convex_along, segment_maximum
from theory.numerics import validation as check
from theory.paths import Path
from theory.risk import Risk


@dataclass(frozen=True, eq=False, repr=False)
class Connection:
    """A path between two nets, on which the risk is certified to stay at or below maximum.upper.

    path: from net_a to net_b, points (V, P), in parameters of risk.network; risk: the mean loss on the data, without the
    trainer's penalty. maximum: of the path; straight: of the straight line; each with a bound that holds in exact
    arithmetic. ends: the risks of both nets. level: what the path was to stay below, at least the larger end and a hair
    (1e-9 of it: what rounding may hide). route: which way it was found, of `routes.ROUTES`; routes: what each way gave, in the order tried.
    """

    path: Path
    risk: Risk
    maximum: PathMaximum
    straight: Maximum
    ends: tuple[float, float]
    level: float
    route: str
    routes: tuple[routes.Tried, ...]

    @property
    def length(self) -> float:
        """The length of the path over the distance of the nets: 1 for the straight line."""
        return self.path.normalised_length

    @property
    def reached(self) -> bool:
        """Whether the path is certified to stay at or below the level."""
        return self.maximum.upper <= self.level

    @property
    def pieces(self) -> str:
        """How many straight pieces the path has, in words."""
        return "1 piece" if len(self.path) == 1 else f"{len(self.path)} pieces"

    def __repr__(self) -> str:
        return (
            f"Connection(risk <= {self.maximum.upper:.5g} certified by {self.route}, straight line {self.straight.value:.5g}, "
            f"ends {self.ends[0]:.5g} and {self.ends[1]:.5g}, {self.pieces}, {self.length:.3g} x straight)"
        )

    def _repr_html_(self) -> str:
        """The curve of the risk and what each route gave, for notebooks."""
        return pictures.page(self)

    def plot(self, ax: Any = None) -> Any:
        """Draw the risk along path and straight line, with the certified maximum, on matplotlib axes `ax` (None: new ones).

        Returns the axes.
        """
        return pictures.draw(self.risk, self.path, level=None, straight=True, maximum=self.maximum.upper, ax=ax)

    def save(self, file: str | PathLike[str], *, title: str = "") -> None:
        """Write a certificate to a file that `halfrect verify` checks in exact arithmetic; title: for people.

        ValueError where the verifier has no argument: smooth activations, penalties by path or Schatten norms, and pieces on
        which the risk is neither convex nor constant, but for one hidden layer and squared loss. `path.save` writes the path alone.
        """
        try:
            text = document.text(self.risk, self.path, self.maximum.upper, title=title or repr(self))
            _verifiable(self.risk, self.path)
        except ValueError as error:
            raise ValueError(
                f"no certificate can be written: {error}. connection.path.save(file) keeps the path"
            ) from error
        File(file).write_text(text, encoding="utf-8")


def connect(
    net_a: Any,
    net_b: Any,
    X: Any,
    y: Any,
    *,
    level: float | None = None,
    loss: str | None = None,
    rng: np.random.Generator | int | None = None,
) -> Connection:
    """A path from net_a to net_b on which the risk on (X, y) stays as low as we get it, certified.

    net_a, net_b: fitted MLPRegressor or MLPClassifier of scikit-learn, a pair (weights, biases) of lists, a state dict of
    PyTorch, Keras or Flax, or a `Net`; both of one architecture. X (N, n_in), y (N,) or (N, n_out): arrays, data frames,
    series; labels of classes. The risk is the mean squared error, or of classifiers the cross-entropy of the logits. level:
    what the path is to stay below (None: the larger of both risks); loss: one of `theory.risk.LOSSES` (None: by the nets);
    rng: for the searches. ValueError says in one line what does not fit, and what to do.

    >>> found = connect(([[[1.0], [0.0]], [[1.0, 0.0]]], None), ([[[0.0], [2.0]], [[0.0, 0.5]]], None), [[1.0], [2.0]], [1.0, 3.0])
    >>> found.ends, found.straight.value > 0.5, found.reached
    ((0.5, 0.5), True, True)
    """
    shape = check.stored_array(X, "X").shape
    n_in = shape[1] if len(shape) == 2 and shape[1] > 0 else None
    nets = [as_net(net, name, n_in) for net, name in ((net_a, "net_a"), (net_b, "net_b"))]
    same_architecture(*nets)
    first, second = with_common_biases(*nets)
    risk = data.risk_of(first, second, X, y, loss)
    theta_a, theta_b = first.theta, second.theta
    ends = risk(theta_a), risk(theta_b)
    if not np.isfinite(ends).all():
        raise ValueError("the risk of the nets on X and y overflows: scale the weights or the data down")
    target = routes.larger_end(risk, theta_a, theta_b)
    if level is not None:
        level = check.number(level, "level")
        if level < max(ends):
            raise ValueError(f"level must be at least the larger risk of both nets, {max(ends):.6g}; got {level:.6g}")
        target = max(target, level)
    task = routes.Task(risk, theta_a, theta_b, target, check.generator(rng))
    found = routes.tried(task)
    best = routes.best_of(found)
    assert best.path is not None
    assert isinstance(best.maximum, PathMaximum)
    straight = segment_maximum(risk, theta_a, theta_b, gap=routes.GAP, budget=routes.CELLS)
    return Connection(best.path, risk, best.maximum, straight, ends, task.target, best.name, found)


def as_net(net: Any, name: str = "net", inputs: int | None = None) -> Net:
    """What `connect` takes for a net, as one; inputs: how many it takes, where that is known. ValueError names it."""
    try:
        if isinstance(net, Net):
            return net
        if isinstance(net, Mapping):
            return from_state_dict(net, inputs=inputs)
        if isinstance(net, (tuple, list)):
            if len(net) != 2:
                raise ValueError(
                    f"lists of arrays come as a pair (weights, biases), each a list with one array per layer; got {len(net)} things"
                )
            return from_arrays(*net)
        if callable(getattr(net, "state_dict", None)):
            raise ValueError("of a PyTorch module pass halfrect.from_state_dict(module.state_dict(), activation=...)")
        if callable(getattr(net, "get_weights", None)):
            raise ValueError(
                "of a Keras model pass halfrect.from_state_dict({w.path: w.numpy() for w in model.weights}, activation=...)"
            )
        return from_sklearn(net)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error


def _verifiable(risk: Risk, path: Path) -> None:
    """ValueError where the verifier, which computes with integers, has no argument for a piece of the path."""
    network = risk.network
    if network.activation not in ("relu", "identity"):
        raise ValueError(f"the verifier computes with integers, and {network.activation!r} units leave them")
    if network.depth == 2 and risk.loss == "squared":
        return
    for k, (before, after) in enumerate(zip(path.points, path.points[1:])):
        if not (is_convex_along(risk, before, after) or is_constant_along(risk, before, after)):
            raise ValueError(
                f"on piece {k} the risk is neither convex nor constant, and the verifier decides that only for one hidden layer and squared loss"
            )
