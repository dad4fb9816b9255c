"""Checks at the boundary: a value is returned as it should be, or ValueError says what is wrong with it.

Every error names the argument, what it was and what is allowed.
"""

from __future__ import annotations

import math
import operator
import os
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def finite_array(value: ArrayLike, name: str, *, ndim: int | None = None, allow_complex: bool = False) -> NDArray[Any]:
    """`value` (...) as a float64 array, or complex128 with allow_complex, of `ndim` axes.

    ValueError unless it is numeric, finite, without masked entries and of that many axes; of a data frame the column
    is named.
    """
    if type(value) is np.ndarray and value.dtype == np.float64:
        return _finite(value, name, ndim)
    unmasked(value, name)
    try:
        array = _numbers(np.asarray(value), allow_complex)
    except Exception as error:  # whatever someone else's __array__ raises
        column = _column_of_no_numbers(value, allow_complex)
        got = describe(value) if column is None else f"something else in its column {describe(column)}"
        raise ValueError(f"{name} must be an array of real numbers; got {got}") from error
    return _finite(array, name, ndim)


def stored_array(value: Any, name: str) -> NDArray[Any]:
    """`value` (...) as numpy takes it, numbers or not; ValueError where it does not, and where entries are masked."""
    unmasked(value, name)
    try:
        return np.asarray(value)
    except Exception as error:  # ragged lists, and whatever someone else's __array__ raises
        raise ValueError(f"{name} must be an array; got {describe(value)}") from error


def unmasked(value: Any, name: str) -> None:
    """ValueError where `value`, or an array inside it, has masked entries: numpy.asarray and float forget them."""
    if _masked(value):
        raise ValueError(
            f"{name} must not have masked entries: what stands there is not known. Drop or fill them first"
        )


def entries(value: Any, name: str) -> list[Any]:
    """The entries of a sequence, not of a text; ValueError for what has none to go through, and for masked ones."""
    unmasked(value, name)
    try:
        if isinstance(value, (str, bytes)):
            raise TypeError
        return list(value)
    except Exception:
        raise ValueError(f"{name} must be a sequence; got {describe(value)}") from None


def _finite(array: NDArray[Any], name: str, ndim: int | None) -> NDArray[Any]:
    if ndim is not None and array.ndim != ndim:
        raise ValueError(f"{name} must have {ndim} axes; got shape {array.shape}")
    if array.ndim == 1 and array.dtype == np.float64 and math.isfinite(np.vdot(array, array)):
        return array  # a sum of squares is finite only where all entries are, and quicker than looking at each
    if not np.isfinite(array).all():
        where = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise ValueError(f"{name} must be finite; entry {where} is {array[where]}")
    return array


def _numbers(array: NDArray[Any], allow_complex: bool) -> NDArray[Any]:
    """The array in float64 or complex128; TypeError, ValueError or OverflowError where it does not hold numbers."""
    words = array.ravel() if array.dtype == object else ()
    if array.dtype.kind not in "biufcO" or any(
        isinstance(entry, (str, bytes, np.datetime64, np.timedelta64)) for entry in words
    ):
        raise TypeError("not numbers")
    complex_input = np.iscomplexobj(array)
    if complex_input and not allow_complex:
        raise TypeError("complex")
    with np.errstate(over="ignore"):  # a long double beyond float64 is not finite, and refused as such
        return array.astype(np.complex128 if complex_input else np.float64, copy=False)


def _masked(value: Any) -> bool:
    """Whether a masked array, or one inside lists and tuples, has masked entries."""
    if isinstance(value, np.ma.MaskedArray):
        return bool(np.ma.is_masked(value))
    if isinstance(value, np.ndarray):
        return value.dtype == object and any(map(_masked, value.ravel().tolist()))
    if isinstance(value, (list, tuple)):
        return any(not isinstance(entry, (int, float)) and _masked(entry) for entry in value)
    return False


def _column_of_no_numbers(value: Any, allow_complex: bool) -> Any:
    """The label of the first column of a data frame (or the name of a series) that does not hold numbers, or None."""
    try:
        for label, column in value.items() if hasattr(value, "columns") else ():
            try:
                _numbers(np.asarray(column), allow_complex)
            except (TypeError, ValueError, OverflowError):
                return label
    except Exception:  # something else that has columns
        return None
    return None


def no_overflow(result: Any, name: str) -> Any:
    """`result`, where it is finite; ValueError that the argument `name` is too large where it is not."""
    if not np.isfinite(result).all():
        raise ValueError(f"{name} is too large: the result overflows float64. Scale the weights or the data down")
    return result


def parameters(theta: ArrayLike, size: int, name: str = "theta", *, allow_complex: bool = False) -> NDArray[Any]:
    """Parameter vectors of shape (..., size), finite, real unless allow_complex; ValueError otherwise."""
    array = finite_array(theta, name, allow_complex=allow_complex)
    if array.ndim == 0 or array.shape[-1] != size:
        raise ValueError(f"{name} must have shape (..., {size}), one entry per parameter; got {array.shape}")
    return array


def vector(theta: ArrayLike, size: int, name: str = "theta", *, allow_complex: bool = False) -> NDArray[Any]:
    """One parameter vector of shape (size,), finite, real unless allow_complex; ValueError otherwise."""
    array = parameters(theta, size, name, allow_complex=allow_complex)
    if array.ndim != 1:
        raise ValueError(f"{name} must have shape ({size},), one parameter vector; got {array.shape}")
    return array


def positive_integer(value: Any, name: str, *, minimum: int = 1) -> int:
    """`value` as an int >= minimum; ValueError otherwise (booleans and floats are not integers)."""
    unmasked(value, name)
    try:
        if isinstance(value, (bool, np.bool_)):
            raise TypeError
        number = operator.index(value)
    except Exception:  # of someone else's __index__ any
        raise ValueError(f"{name} must be an integer >= {minimum}; got {describe(value)}") from None
    if number < minimum:
        raise ValueError(f"{name} must be an integer >= {minimum}; got {describe(number)}")
    return number


def number(
    value: Any,
    name: str,
    *,
    minimum: float = -np.inf,
    maximum: float = np.inf,
    open_minimum: bool = False,
    infinite: bool = False,
) -> float:
    """`value` as a finite float in [minimum, maximum], ValueError otherwise; `open_minimum` leaves out the minimum.

    infinite: +inf is allowed too.
    """
    unmasked(value, name)
    try:
        if isinstance(value, (str, bytes, bool, np.bool_)) or (isinstance(value, np.ndarray) and value.ndim > 0):
            raise TypeError  # numpy 2.0 only warns of an array
        x = float(value)
    except Exception:  # of someone else's __float__ any
        raise ValueError(f"{name} must be a number; got {describe(value)}") from None
    if infinite and x == np.inf:
        return x
    if not np.isfinite(x) or x < minimum or x > maximum or (open_minimum and x == minimum):
        bracket = "(" if open_minimum else "["
        raise ValueError(f"{name} must be a finite number in {bracket}{minimum:g}, {maximum:g}]; got {x!r}")
    return x


def choice(value: Any, name: str, allowed: tuple[Any, ...], aliases: dict[str, str] | None = None) -> Any:
    """`value`, when it is one of `allowed`; ValueError otherwise.

    aliases: other people's words in lower case, each with the one of `allowed` that the message suggests for it.
    """
    if isinstance(value, np.ndarray) or value not in allowed:
        meant = (aliases or {}).get(str(value).lower(), str(value).lower()) if isinstance(value, str) else None
        hint = f". Did you mean {meant!r}?" if meant in allowed else ""
        raise ValueError(f"{name} must be one of {', '.join(map(repr, allowed))}; got {describe(value)}{hint}")
    return value


def instance(value: Any, name: str, kind: type) -> Any:
    """`value`, when it is a `kind`; ValueError otherwise."""
    if not isinstance(value, kind):
        raise ValueError(f"{name} must be a {kind.__name__}; got {type(value).__name__}")
    return value


def file_name(value: Any, name: str = "file") -> str:
    """`value`, text, bytes or a path, as the name of a file; ValueError for what names none."""
    try:
        return os.fsdecode(value)
    except Exception:
        raise ValueError(f"{name} must be the name of a file; got {describe(value)}") from None


def generator(rng: Any) -> np.random.Generator:
    """`rng` as np.random.default_rng takes it (SPEC 7): None, an integer >= 0, a sequence of them, or a generator.

    ValueError otherwise.
    """
    try:
        return np.random.default_rng(rng)
    except (TypeError, ValueError) as error:
        raise ValueError(f"rng must be None, an integer >= 0 or a numpy Generator; got {describe(rng)}") from error


def describe(value: Any) -> str:
    """`value` in an error message: short, on one line."""
    try:
        text = " ".join(repr(value.item() if isinstance(value, np.generic) else value).split())
    except Exception:  # an integer of too many digits, or an object of someone else's
        return f"{type(value).__name__} without a printable form"
    return text if len(text) <= 60 else f"{type(value).__name__} {text[:57]}..."
