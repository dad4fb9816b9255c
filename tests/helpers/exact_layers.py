"""Convolutions, pools, rectifiers and dense layers in fractions, one number at a time: the oracle of `theory.deep`'s bounds."""

from fractions import Fraction

import numpy as np

from theory.deep import Conv, Dense, Pool, Relu


def fractions(array):
    """The floats of an array as an array of fractions."""
    array = np.asarray(array, dtype=float)
    return np.array([Fraction(v) for v in array.ravel().tolist()], dtype=object).reshape(array.shape)


def between(theta_0, theta_1, t):
    """(1 - t) theta_0 + t theta_1."""
    return (1 - t) * fractions(theta_0) + t * fractions(theta_1)


def first_row(side, size, stride, padding):
    """Windows along a side, and where the first begins, by the rule that TensorFlow states for SAME."""
    if padding == "VALID":
        return len(range(0, side - size + 1, stride)), 0
    count = -(-side // stride)
    missing = max((count - 1) * stride + size - side, 0)
    return count, -(missing // 2)


def exact_layer(layer, theta, x):
    """The layer on one image x, an array of fractions, with its parameters theta, fractions too."""
    if isinstance(layer, Relu):
        return np.array([max(v, Fraction(0)) for v in x.ravel()], dtype=object).reshape(x.shape)
    if isinstance(layer, Dense):
        W = theta[: layer.n_in * layer.n_out].reshape(layer.n_in, layer.n_out)
        b = theta[layer.n_in * layer.n_out :]
        return np.array([sum(x[i] * W[i, o] for i in range(layer.n_in)) + b[o] for o in range(layer.n_out)])
    if not isinstance(layer, (Conv, Pool)):
        return x.reshape(layer.output(x.shape))
    size = layer.kernel if isinstance(layer, Conv) else layer.window
    (rows, top), (columns, left) = (first_row(n, size, layer.stride, layer.padding) for n in x.shape[:2])
    out = np.empty((rows, columns, layer.output(x.shape)[2]), dtype=object)
    for i, j in np.ndindex(rows, columns):
        cells = [
            (p, q, top + i * layer.stride + p, left + j * layer.stride + q)
            for p in range(size)
            for q in range(size)
            if 0 <= top + i * layer.stride + p < x.shape[0] and 0 <= left + j * layer.stride + q < x.shape[1]
        ]
        for o in range(out.shape[2]):
            if isinstance(layer, Pool):
                out[i, j, o] = max(x[u, v, o] for _, _, u, v in cells)
            else:
                shape = layer.shapes[0]
                W = theta[: int(np.prod(shape))].reshape(shape)
                terms = [W[p, q, c, o] * x[u, v, c] for p, q, u, v in cells for c in range(shape[2])]
                out[i, j, o] = sum(terms, Fraction(0)) + theta[int(np.prod(shape)) + o]
    return out


def exact_scores(model, theta, x):
    """The scores of one image, theta and x fractions."""
    for layer, own in zip(model.layers, model.slices):
        x = exact_layer(layer, theta[own], x)
    return x


def exact_wrong(model, theta_0, theta_1, t, X, labels):
    """Which images are wrong at t, ties included: (N,) of bools."""
    theta = between(theta_0, theta_1, Fraction(t))
    wrong = []
    for x, label in zip(X, labels):
        scores = exact_scores(model, theta, fractions(x))
        wrong.append(any(scores[k] >= scores[label] for k in range(len(scores)) if k != label))
    return np.array(wrong)
