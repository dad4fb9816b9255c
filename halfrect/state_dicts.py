"""State dicts of PyTorch, Keras, Flax and Haiku as a `Net`: mappings from names to arrays, nested or flat.

No framework is imported. Which way round a matrix stands and which layer comes first is read off names ("weight" is
(n_out, n_in), "kernel" is (n_in, n_out); numbers count upwards) and shapes (a bias is as long as its layer is wide, a
layer takes what the one before it gives). Where more than one reading is left, ValueError asks for the argument that
decides; no guess is made. What a state dict does not hold, the activation, is an argument.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from halfrect.nets import Net, as_array, from_arrays
from theory.numerics import Array
from theory.numerics import validation as check

LAYOUTS = ("out_in", "in_out")

_PART = re.compile(r"(weights?|kernel|w|bias(?:es)?|b)_?(\d*)", re.IGNORECASE)

_NORMALISATION = (
    "normalisation layers are not supported: a piece between two nets would not be one layer. With fixed statistics, as of "
    "a batch normalisation in evaluation, it is an affine map: multiply it into the layer before it"
)
_CONVOLUTION = (
    "convolutions are not supported: nets here are fully connected; theory.deep lays strings between convolutional ones"
)

# What the names of parameters of other layers look like, and what to say of them.
_OTHERS = {
    r"running_(mean|var)|num_batches|moving_(mean|variance)|batch_?norm|layer_?norm|(^|\.)(gamma|beta|scale|mean|var)$": _NORMALISATION,
    r"dropout|\bseed|\brng\b": "dropout has no parameters in evaluation: leave this entry out",
    r"weight_(ih|hh)|bias_(ih|hh)|recurrent": "recurrent layers are not supported: nets here are fully connected; theory.deep lays strings between LSTMs",
    r"(^|[._])conv(\d|_|\.)": _CONVOLUTION,
    r"in_proj|attention|attn": "attention is not supported: nets here are fully connected",
    r"weight_[gv]$|parametrizations": "weight normalisation is not supported: remove the parametrisation first",
}


@dataclass
class _Layer:
    """What stands under one name: kind ("weight", "kernel" or "w") of its matrix, and its bias."""

    name: str
    matrix: Array | None = None
    kind: str = ""
    bias: Array | None = None

    def turned(self, layout: str) -> Array:
        """The matrix with one row for each unit."""
        assert self.matrix is not None
        return self.matrix if layout == "out_in" else self.matrix.T

    def fits(self, layout: str) -> bool:
        """Whether the bias is as long as the layer would be wide."""
        return self.bias is None or self.bias.shape == (len(self.turned(layout)),)


def from_state_dict(
    mapping: Mapping[str, Any],
    *,
    activation: str = "relu",
    output: str = "identity",
    layout: str | None = None,
    order: Sequence[str] | None = None,
    inputs: int | None = None,
) -> Net:
    """The net of a mapping from names to arrays: model.state_dict() of PyTorch, params of Flax, paths of Keras' weights.

    activation, output: as in `from_arrays`; a state dict does not hold them. layout: "out_in" or "in_out", which way round
    matrices stand; order: names of the layers from the bottom; inputs: how many the net takes. None: read off names and
    shapes. ValueError where that leaves a choice, and for layers that are not fully connected.

    >>> net = from_state_dict({"0.weight": [[1.0, -1.0]], "0.bias": [0.5], "2.weight": [[2.0]], "2.bias": [0.0]})
    >>> net([[1.0, 0.5]])
    array([[2.]])
    """
    layers = _layers(mapping)
    if layout is not None:
        check.choice(layout, "layout", LAYOUTS)
    if inputs is not None:
        inputs = check.positive_integer(inputs, "inputs")
    chains = {way: _chains(layers, way, order, inputs) for way in LAYOUTS if layout in (None, way)}
    named = _named_layout(layers)
    if named is not None and chains.get(named):
        chains = {named: chains[named]}
    possible = [(way, chain) for way, found in chains.items() for chain in found]
    if not possible:
        raise ValueError(_no_chain(layers, layout, order, inputs))
    if len({way for way, _ in possible}) > 1:
        raise ValueError(
            f"layout must be said: the matrices {_shapes(layers)} fit as (n_out, n_in) and as (n_in, n_out); pass "
            "layout='out_in' (PyTorch) or layout='in_out' (Keras, Flax)"
        )
    if len(possible) > 1:
        first, second = (", ".join(layer.name for layer in chain) for _, chain in possible[:2])
        raise ValueError(f"order must be said: the layers may follow as ({first}) or as ({second}); pass order=[...]")
    way, chain = possible[0]
    weights, biases = [layer.turned(way) for layer in chain], [layer.bias for layer in chain]
    return from_arrays(weights, biases, activation=activation, output=output)


def _layers(mapping: Mapping[str, Any]) -> list[_Layer]:
    """The layers of a mapping in its own order; ValueError for whatever is not a matrix or its bias."""
    if not isinstance(mapping, Mapping) or not mapping:
        raise ValueError(f"mapping must be a state dict, from names to arrays; got {check.describe(mapping)}")
    found: dict[str, _Layer] = {}
    for name, value in _flat(mapping):
        stem, _, last = name.rpartition(".")
        match = _PART.fullmatch(last)
        value = _checked(name, value, match is not None)
        assert match is not None
        stem = f"{stem}.{match[2]}".strip(".") if match[2] else stem
        layer, kind = found.setdefault(stem, _Layer(stem)), match[1].lower()
        if kind.startswith("b"):
            layer.bias = value
        else:
            layer.matrix, layer.kind = value, kind
    for layer in found.values():
        if layer.matrix is None:
            raise ValueError(
                f"{layer.name or 'the mapping'} has a bias and no weights; its parts must be called weight or kernel"
            )
    return list(found.values())


def _checked(name: str, value: Any, known: bool) -> Array:
    """The array under a name, when it can be a matrix or a bias."""
    for pattern, advice in _OTHERS.items():
        if re.search(pattern, name, re.IGNORECASE):
            raise ValueError(f"{name}: {advice}")
    array = as_array(value, name)
    if not known:
        raise ValueError(
            f"{name} of shape {array.shape} is neither a weight nor a bias by its name (weight, kernel, w; bias, b): leave "
            "it out, or pass weights and biases to from_arrays"
        )
    is_bias = _PART.fullmatch(name.rpartition(".")[2])[1].lower().startswith("b")  # type: ignore[index]
    if array.ndim > 2:
        raise ValueError(f"{name} has shape {array.shape}: {_CONVOLUTION}")
    if array.ndim != 2 - is_bias or 0 in array.shape:
        hint = f"; a vector of weights is a normalisation layer's, and {_NORMALISATION}" if array.ndim == 1 else ""
        raise ValueError(f"{name} must be a {'vector' if is_bias else 'matrix'}; got shape {array.shape}{hint}")
    return array


def _flat(mapping: Mapping[Any, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """Names joined by dots, with what stands there."""
    found = []
    for key, value in mapping.items():
        name = prefix + re.sub(r":\d+$", "", str(key)).replace("/", ".")
        if isinstance(value, Mapping):
            found += _flat(value, name + ".")
        else:
            found.append((name, value))
    return found


def _named_layout(layers: list[_Layer]) -> str | None:
    """What the names say of the layout: PyTorch's "weight", Keras' and Flax's "kernel", else nothing."""
    kinds = {layer.kind for layer in layers}
    return {frozenset({"weight"}): "out_in", frozenset({"kernel"}): "in_out"}.get(frozenset(kinds))


def _chains(layers: list[_Layer], layout: str, order: Sequence[str] | None, inputs: int | None) -> list[list[_Layer]]:
    """The orders (two at most) in which each layer takes what the one before gives, and numbers of like names rise."""
    if not all(layer.fits(layout) for layer in layers):
        return []
    if order is not None:
        layers = _ordered(layers, order)
    numbers = dict(zip((layer.name for layer in layers), _numbers([layer.name for layer in layers])))
    found: list[list[_Layer]] = []

    def extend(chain: list[_Layer], rest: list[_Layer], width: int | None) -> None:
        if not rest:
            found.append(chain)
        for layer in rest[:1] if order is not None else rest:
            W, (stem, count) = layer.turned(layout), numbers[layer.name]
            early = any(numbers[other.name][0] == stem and numbers[other.name][1] < count for other in rest)
            if len(found) < 2 and not early and width in (None, W.shape[1]):
                extend([*chain, layer], [other for other in rest if other is not layer], len(W))

    extend([], layers, inputs)
    return found


def _ordered(layers: list[_Layer], order: Sequence[str]) -> list[_Layer]:
    by_name = {layer.name: layer for layer in layers}
    if isinstance(order, str) or not np.iterable(order) or sorted(map(str, order)) != sorted(by_name):
        raise ValueError(f"order must name each layer once: {', '.join(by_name)}; got {check.describe(order)}")
    return [by_name[name] for name in order]


def _numbers(names: list[str]) -> list[tuple[str, tuple[int, ...]]]:
    """(the name without its numbers, the numbers): dense, dense_1 and dense_10 are one name, with -1, 1 and 10."""
    stems = [re.sub(r"_?\d+", "#", name) for name in names]
    found = []
    for name, stem in zip(names, stems):
        bare = stem + "#" in stems
        found.append((stem + "#" if bare else stem, (-1,) if bare else tuple(map(int, re.findall(r"\d+", name)))))
    return found


def _shapes(layers: list[_Layer]) -> str:
    return ", ".join(f"{layer.name} {layer.matrix.shape}" for layer in layers if layer.matrix is not None)


def _no_chain(layers: list[_Layer], layout: str | None, order: Sequence[str] | None, inputs: int | None) -> str:
    """Why no order is left, in one line."""
    for layer in layers:
        if not any(layer.fits(way) for way in LAYOUTS if layout in (None, way)):
            assert layer.bias is not None
            return f"{layer.name}: the bias has shape {layer.bias.shape}, which fits no side of its weights {_shapes([layer])}"
    given = f" with {check.describe(inputs)} inputs" if inputs is not None else ""
    given += f" in the order {check.describe(list(order))}" if order is not None else ""
    return f"the layers {_shapes(layers)} do not follow each other{given}: each must take what the one before it gives"
