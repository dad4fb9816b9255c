"""Checks at the boundary: masked entries in whatever they are wrapped, columns of tables, vectors, other people's words."""

import warnings

import numpy as np
import pytest

from theory.numerics import validation as check

MASKED = np.ma.masked_equal([1.0, 999.0], 999.0)
FREE = np.ma.array([1.0, 2.0])


@pytest.mark.parametrize(
    "value",
    [MASKED, [MASKED, MASKED], (FREE, MASKED), [[1.0], [np.ma.masked]], np.array([np.ma.masked, 1.0], dtype=object)],
    ids=["array", "list of arrays", "tuple", "nested constant", "objects"],
)
def test_masked_entries_are_refused_without_a_warning(value):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ValueError, match=r"^x must not have masked entries"):
            check.finite_array(value, "x")


@pytest.mark.parametrize("value", [np.ma.masked, np.ma.array(2, mask=True)], ids=["constant", "of no axes"])
@pytest.mark.parametrize("asked", [check.number, check.positive_integer, check.stored_array, check.finite_array])
def test_what_is_masked_is_no_number(asked, value):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ValueError, match=r"^x must not have masked entries"):
            asked(value, "x")
    assert asked(np.ma.array(2, mask=False), "x") == 2


class Tensor:
    """As a tensor of PyTorch that requires a gradient, or lies on another device."""

    def __array__(self, *_, **__):
        raise RuntimeError("use detach()")


@pytest.mark.parametrize("asked", [check.stored_array, check.finite_array])
def test_what_numpy_does_not_take_is_a_value_error(asked):
    with pytest.raises(ValueError, match=r"^x must be an array"):
        asked(Tensor(), "x")


@pytest.mark.parametrize("value", [FREE, [FREE, FREE], np.ma.array([1, 2], mask=[False, False])])
def test_masked_arrays_without_masked_entries_are_arrays(value):
    array = check.finite_array(value, "x")
    assert type(array) is np.ndarray
    assert array.dtype == np.float64


@pytest.mark.parametrize(
    "value",
    [["1", "2"], np.array(["2026-01-01"], "datetime64[D]"), np.array([np.datetime64("2026-01-01"), 1.0], dtype=object)],
)
def test_words_and_dates_are_no_numbers(value):
    with pytest.raises(ValueError, match=r"^x must be an array of real numbers"):
        check.finite_array(value, "x")


def test_a_vector_has_one_axis_and_its_size():
    assert check.vector([1, 2], 2, "x").dtype == np.float64
    for bad in ([1.0], [[1.0, 2.0]], 1.0, [1.0, np.nan], MASKED):
        with pytest.raises(ValueError, match=r"^x must"):
            check.vector(bad, 2, "x")
    assert check.vector([1j, 2], 2, "x", allow_complex=True).dtype == np.complex128
    with pytest.raises(ValueError, match=r"^x must"):
        check.vector([1j, 2], 2, "x")


def test_a_choice_suggests_what_was_meant():
    for given, meant in (("ReLU", "relu"), ("linear", "identity")):
        with pytest.raises(ValueError, match=f"Did you mean '{meant}'"):
            check.choice(given, "x", ("relu", "identity"), {"linear": "identity"})
    for given in ("swish", 3, None, np.ones(2)):
        with pytest.raises(ValueError, match=r"^x must be one of 'relu', 'identity'; got [^?]*$"):
            check.choice(given, "x", ("relu", "identity"))
