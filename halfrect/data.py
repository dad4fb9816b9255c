"""The user's table as the sample of a risk: data frames and series, one-dimensional targets, class labels."""

from __future__ import annotations

from numbers import Number
from typing import Any

import numpy as np

from halfrect.nets import Net
from theory.numerics import Array
from theory.numerics import validation as check
from theory.risk import LOSSES, Risk, Sample

SIGNED = ("logistic", "hinge")  # losses of targets -1 and +1
ALIASES = {
    "mse": "squared",
    "squared_error": "squared",
    "mae": "absolute",
    "cross_entropy": "softmax",
    "log_loss": "softmax",
}


def risk_of(net_a: Net, net_b: Net, X: Any, y: Any, loss: str | None = None) -> Risk:
    """The mean loss of the network of net_a and net_b on X (N, n_in), y: squared error, or of classifiers cross-entropy.

    Without the trainer's penalty. loss: one of `theory.risk.LOSSES`, or None: by the nets' task, or by y where a net does
    not know its task; ValueError asks where that does not decide.
    """
    network = check.instance(net_a, "net_a", Net).network
    check.instance(net_b, "net_b", Net)
    X = inputs(X, net_a.inputs or net_b.inputs)
    if X.shape[1] != network.widths[0]:
        raise ValueError(f"X must have {network.widths[0]} columns, the inputs of the nets; got shape {X.shape}")
    y = targets(y, len(X))
    classes = net_a.classes if net_a.classes is not None else net_b.classes
    n_out = network.widths[-1]
    if loss is not None:
        loss = check.choice(ALIASES.get(loss, loss) if isinstance(loss, str) else loss, "loss", LOSSES)
    else:
        loss = _loss(net_a.task or net_b.task, y, n_out)
    regression = (net_a.task or net_b.task) == "regression"
    return Risk(network, Sample(X, _as_loss_wants(y, loss, n_out, classes, regression)), loss=loss)


def inputs(X: Any, names: tuple[str, ...] | None = None) -> Array:
    """X (N, n_in) as floats. names: of the columns that the nets were fitted on; ValueError where a data frame has others."""
    if hasattr(X, "toarray"):  # sparse
        X = X.toarray()
    columns = getattr(X, "columns", None)
    if names is not None and columns is not None and tuple(map(str, columns)) != names:
        raise ValueError(f"X must have the columns that the nets were fitted on, {_few(names)}; got {_few(columns)}")
    array = check.stored_array(X, "X")
    if array.ndim == 1:
        raise ValueError(f"X must have one row per sample, (N, n_in); got shape {array.shape}. One column: X[:, None]")
    if 0 in array.shape:
        raise ValueError(f"X must have at least one row and one column; got shape {array.shape}")
    return check.finite_array(X, "X", ndim=2)


def targets(y: Any, count: int) -> Array:
    """y as an array (N,) or (N, n_out) of numbers, or labels of any kind; ValueError unless there are `count` of them."""
    array = check.stored_array(y, "y")
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim not in (1, 2) or len(array) != count or 0 in array.shape:
        raise ValueError(f"y must have one entry (or row) for each of the {count} rows of X; got shape {array.shape}")
    if array.dtype == object and all(isinstance(entry, Number) for entry in array.ravel()):
        array = check.finite_array(array, "y")  # numbers in a column of objects
    if array.dtype.kind in "fc" or (array.dtype.kind in "iu" and array.ndim == 2):
        check.finite_array(y, "y")
    return array


def _loss(task: str | None, y: Array, n_out: int) -> str:
    """The loss that goes with a task, or with y where the nets do not know theirs."""
    if task == "regression":
        return "squared"
    if task == "classification":
        return "softmax" if n_out > 1 and y.ndim == 1 else "logistic"
    words = y.dtype.kind not in "iuf"
    if y.ndim == 2:
        if not words and not np.isin(y, (-1, 0, 1)).all():
            return "squared"
        raise ValueError(
            "loss must be said: rows of y hold only -1, 0 and 1. 'softmax' of one-hot rows, 'logistic', 'squared'?"
        )
    if n_out > 1:
        return "softmax"
    if words or np.isin(y, (-1, 1)).all() or np.isin(y, (0, 1)).all():
        if words:
            return "logistic"
        raise ValueError("loss must be said: y holds two labels. 'logistic' (one logit) or 'squared'?")
    return "squared"


def _as_loss_wants(y: Array, loss: str, n_out: int, classes: Array | None, regression: bool) -> Array:
    """Targets (N, n_out) of a loss: class labels become rows with a one, or signs; of a regression y as it is."""
    labels = y.ndim == 1 and not regression and (classes is not None or n_out > 1 or loss in (*SIGNED, "softmax"))
    if not labels:
        y = check.finite_array(y, "y").reshape(len(y), -1)
        if y.shape[1] != n_out:
            raise ValueError(
                f"y must have {n_out} column{'s'[: n_out != 1]}, the outputs of the nets; got {y.shape[1]}"
            )
        return 2 * y - 1 if loss in SIGNED and np.isin(y, (0, 1)).all() else y
    codes = _codes(y, max(n_out, 2), classes)
    if n_out == 1:
        if loss == "softmax":
            raise ValueError("loss 'softmax' needs one output per class; the nets have one logit: 'logistic'")
        return (2.0 * codes - 1)[:, None]
    rows = np.eye(n_out)[codes]
    return 2 * rows - 1 if loss in SIGNED else rows


def _codes(y: Array, count: int, classes: Array | None) -> Array:
    """The number 0, ..., count - 1 of each label; without known classes labels are these numbers, or words in order."""
    if classes is None:
        if y.dtype.kind in "iuf":
            two = count == 2 and np.isin(y, (-1, 1)).all()  # signs
            classes = np.array([-1, 1]) if two else np.arange(count)
        else:
            classes = np.unique(y.astype(str) if y.dtype == object else y)
            if len(classes) != count:
                raise ValueError(
                    f"y has {len(classes)} labels ({_few(classes)}) and the nets tell {count} apart: pass 0, 1, ..."
                )
    y = y.astype(str) if y.dtype == object and classes.dtype.kind in "US" else y
    if len(classes) != count:
        raise ValueError(f"the nets know {len(classes)} classes and have outputs for {count}")
    known = y[:, None] == classes[None, :]
    if not known.any(axis=1).all():
        strange = y[int(np.argmin(known.any(axis=1)))]
        raise ValueError(f"labels of y must be those of the nets, {_few(classes)}; got {check.describe(strange)}")
    return known.argmax(axis=1)


def _few(names: Any) -> str:
    words = [str(name) for name in names]
    return ", ".join(words[:8]) + (f", ... ({len(words)})" if len(words) > 8 else "")
