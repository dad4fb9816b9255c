"""The test error of a piecewise linear net for every t of a segment: bounds that hold in exact arithmetic (section 4.2).

The authors look at 20 points of every piece of a string. Here [0, 1] is cut into windows; on each of them every image is
right throughout, wrong throughout, or undecided (`theory.deep.enclosures`), and undecided images are bisected, each by
itself, where they still matter. The error at t is at least the number of images that are wrong throughout a window of t, and
at most that of those that are not right throughout it. An image that changes class in a window stays undecided there; the
bounds meet as ever fewer images do so in the same window. A tie of the true class with another counts as wrong, as does
whatever rounding or overflow leaves open.

The statement is one about real functions: about the net with exactly these parameters (float32 values are real numbers),
on exactly these images, computed without rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from theory.deep.enclosures import Segment, at_once, enclose, verdicts
from theory.deep.models import Model
from theory.numerics import Array
from theory.numerics import validation as check

START, FINEST = 8, 4096  # windows at first, and at the most


@dataclass(frozen=True, repr=False)
class CertifiedError:
    """lower <= the largest error rate over t in [0, 1] <= upper, on `images` images; lower is met at t.

    undecided: images that are undecided on a window that still matters, counted once for each such window; windows: into how
    many windows [0, 1] is cut; work: how many images on windows were looked at. The two bounds are counts over `images`, as the
    nearest floats: round(upper * images) images are exact.
    """

    lower: float
    upper: float
    t: float
    undecided: int
    windows: int
    images: int
    work: int

    def __repr__(self) -> str:
        counts = " or ".join(str(round(rate * self.images)) for rate in sorted({self.lower, self.upper}))
        return (
            f"CertifiedError({self.lower:.6g} <= max over t <= {self.upper:.6g}, that is "
            f"{counts.replace(' or ', ' to ')} of {self.images} wrong, {self.windows} windows, {self.undecided} undecided)"
        )


def certified_error(
    model: Model,
    theta_0: ArrayLike,
    theta_1: ArrayLike,
    X: ArrayLike,
    labels: ArrayLike,
    *,
    ceiling: float | None = None,
    tolerance: float = 0.0,
    max_windows: int = FINEST,
    progress: Callable[[int, int], None] | None = None,
) -> CertifiedError:
    """Bounds on max over t of the error rate of (1 - t) theta_0 + t theta_1 on X, without rounding, as `error_bounds`.

    model: piecewise linear; theta_0, theta_1 (size,); X (N, *model.input_shape); labels (N,), from 0. It stops when
    upper - lower <= tolerance, when it is known on which side of the ceiling the maximum is, or when windows would be more than
    max_windows. progress: as in `error_bounds`. ValueError where these do not fit the model, or a layer is not piecewise linear.
    """
    *_, last = error_bounds(
        model,
        theta_0,
        theta_1,
        X,
        labels,
        ceiling=ceiling,
        tolerance=tolerance,
        max_windows=max_windows,
        progress=progress,
    )
    return last


def error_bounds(
    model: Model,
    theta_0: ArrayLike,
    theta_1: ArrayLike,
    X: ArrayLike,
    labels: ArrayLike,
    *,
    ceiling: float | None = None,
    tolerance: float = 0.0,
    max_windows: int = FINEST,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[CertifiedError]:
    """The bounds of `certified_error` after each bisection, each at least as sharp as the one before; stop where you like.

    progress(done, of): called now and then, with images on windows of this bisection. The others are those of
    `certified_error`: model; theta_0, theta_1 (size,), X (N, *model.input_shape), labels (N,); ceiling, tolerance, max_windows.
    ValueError as there.
    """
    check.instance(model, "model", Model)
    segment = Segment(model, check.vector(theta_0, model.size, "theta_0"), check.vector(theta_1, model.size, "theta_1"))
    X = check.finite_array(X, "X")
    if X.shape[1:] != model.input_shape or not len(X):
        raise ValueError(f"X must have shape (N, {', '.join(map(str, model.input_shape))}), N >= 1; got {X.shape}")
    labels = _labels(labels, len(X), model.classes)
    tolerance = check.number(tolerance, "tolerance", minimum=0.0)
    max_windows = check.positive_integer(max_windows, "max_windows")
    if ceiling is not None:
        ceiling = check.number(ceiling, "ceiling")
    return _bisect(segment, X, labels, ceiling, tolerance, max_windows, progress)


def certificate(
    model: Model, X: ArrayLike, labels: ArrayLike, *, tolerance: float = 0.0, max_windows: int = FINEST
) -> Callable[[Array, Array], CertifiedError]:
    """`certified_error` as a function of the two ends of a piece, as `Deep(task, certificate=...)` takes it.

    model: piecewise linear; X (N, *model.input_shape); labels (N,); tolerance, max_windows: as there. A string is then CONNECTED where the error rate is proved to stay at or below its
    level, and not where a grid says so. ValueError where these do not fit the model, or a layer is not piecewise linear.
    """
    still = np.zeros(check.instance(model, "model", Model).size)
    error_bounds(
        model, still, still, X, labels, tolerance=tolerance, max_windows=max_windows
    )  # says now what does not fit
    return lambda a, b: certified_error(model, a, b, X, labels, tolerance=tolerance, max_windows=max_windows)


def _labels(labels: ArrayLike, count: int, classes: int) -> Array:
    values = check.finite_array(labels, "labels", ndim=1)
    if len(values) != count:
        raise ValueError(f"labels must be as many as images, {count}; got {len(values)}")
    outside = (values != np.floor(values)) | (values < 0) | (values >= classes)
    if outside.any():
        where = int(outside.argmax())
        raise ValueError(f"labels must be integers from 0 to {classes - 1}; entry {where} is {values[where]:g}")
    return values.astype(int)


def _bisect(
    segment: Segment,
    X: Array,
    labels: Array,
    ceiling: float | None,
    tolerance: float,
    max_windows: int,
    progress: Callable[[int, int], None] | None,
) -> Iterator[CertifiedError]:
    """One level of windows after the other; a level holds what is known on each window, and the images left."""
    N, windows = len(X), min(START, 1 << (max_windows.bit_length() - 1))
    wrong = np.zeros(windows, dtype=int)
    left = {w: np.arange(N) for w in range(windows)}
    lower, at, settled, work = 0, 0.5 / windows, 0, 0  # settled: a bound on windows that are done with
    while True:
        total, done = sum(map(len, left.values())), 0
        work += total
        for w, images in left.items():
            verdicts = []
            for verdict in _verdicts(segment, X, labels, images, (w + 0.5) / windows, 0.5 / windows):
                verdicts.append(verdict)
                done += len(verdict)
                if progress is not None:
                    progress(done, total)
            verdict = np.concatenate(verdicts)
            wrong[w] += int((verdict < 0).sum())
            left[w] = images[verdict == 0]
        most = wrong.copy()
        for w, images in left.items():
            most[w] += len(images)
        best = int(wrong.argmax())
        if wrong[best] > lower:
            lower, at = int(wrong[best]), (best + 0.5) / windows
        top = int(most.argmax())  # a point is decided where a window is not
        if most[top] > lower:
            point = (top + 0.5) / windows
            here = int(wrong[top]) + sum(
                int((v < 0).sum()) for v in _verdicts(segment, X, labels, left[top], point, 0.0)
            )
            if here > lower:
                lower, at = here, point
        floor = lower if ceiling is None else max(lower, int((np.arange(N + 1) / N <= ceiling).sum()) - 1)
        settled = max([settled, *(int(most[w]) for w in left if most[w] <= floor)])
        left = {w: images for w, images in left.items() if most[w] > floor}
        upper = max([lower, settled, *(int(most[w]) for w in left)])
        rates = lower / N, upper / N
        yield CertifiedError(*rates, at, sum(map(len, left.values())), windows, N, work)
        decided = ceiling is not None and (rates[1] <= ceiling or rates[0] > ceiling)
        if decided or rates[1] - rates[0] <= tolerance or 2 * windows > max_windows:
            return
        windows, wrong = 2 * windows, np.repeat(wrong, 2)
        left = {v: images for w, images in left.items() for v in (2 * w, 2 * w + 1)}


def _verdicts(segment: Segment, X: Array, labels: Array, images: Array, middle: float, half: float) -> Iterator[Any]:
    """The `verdicts` on images (K,) over |t - middle| <= half, block by block."""
    if not len(images):
        return
    weights, block = segment.window(middle, half), at_once(segment.model)
    for i in range(0, len(images), block):
        part = images[i : i + block]
        with np.errstate(over="ignore", invalid="ignore"):
            yield verdicts(enclose(segment.model, weights, X[part]), labels[part])
