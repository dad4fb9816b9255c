"""Nets in NPZ files: what `Net.save` wrote, or the arrays of a state dict under their names. Nothing is unpickled."""

from __future__ import annotations

from os import PathLike

import numpy as np

from halfrect.nets import Net, from_arrays
from halfrect.state_dicts import from_state_dict
from theory.numerics import load_archive
from theory.numerics import validation as check

_MARK = "halfrect net 1"


def save(net: Net, file: str | PathLike[str]) -> None:
    """Write a net to an NPZ file: weights, biases, activation, output, task and classes. ValueError for no name of a file."""
    network, arrays = net.network, {}  # type: ignore[var-annotated]
    for k, W in enumerate(network.weights(net.theta), start=1):
        arrays |= {f"W{k}": W[:, : network.widths[k - 1]]} | ({f"b{k}": W[:, -1]} if network.bias else {})
    words = {"format": _MARK, "activation": network.activation, "output": network.output, "task": net.task or ""}
    classes = {} if net.classes is None else {"classes": _plain(net.classes)}
    with open(check.file_name(file), "wb") as stream:  # numpy would add .npz to a name without it
        np.savez_compressed(stream, **arrays, **classes, **{key: np.array(word) for key, word in words.items()})  # type: ignore[arg-type]


def load(file: str | PathLike[str], *, activation: str = "relu", inputs: int | None = None) -> Net:
    """The net in an NPZ file: one that `save` wrote, or the arrays of a state dict under their names.

    activation, inputs: of a state dict, as in `from_state_dict`. ValueError says what the file is not; OSError where it
    cannot be opened.
    """
    try:
        held = {name: array for name, array in load_archive(file).items() if array is not None}
        if str(held.get("format")) != _MARK:
            return from_state_dict(held, activation=activation, inputs=inputs)
        count = sum(name.startswith("W") for name in held)
        weights = [held[f"W{k}"] for k in range(1, count + 1)]
        biases = [held.get(f"b{k}") for k in range(1, count + 1)]
        net = from_arrays(weights, biases, activation=str(held["activation"]), output=str(held["output"]))
        return Net(net.network, net.theta, held.get("classes"), str(held["task"]) or None)
    except KeyError as error:
        raise ValueError(f"{file!s}: holds no {error.args[0]}; it must be as halfrect.files.save writes it") from error
    except ValueError as error:
        raise ValueError(f"{file!s}: {error}") from error


def _plain(classes: np.ndarray) -> np.ndarray:
    """Labels that NPZ takes without pickle."""
    return classes.astype(str) if classes.dtype == object else classes
