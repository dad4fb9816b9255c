"""What the functions of theory return cannot be changed, and is compared by identity where it holds arrays."""

import dataclasses
import importlib
import inspect
import pkgutil
import re

import pytest

import theory

MODULES = [importlib.import_module(m.name) for m in pkgutil.walk_packages(theory.__path__, "theory.")]


def own(kind):
    """Public classes or functions of every module, where they are defined."""
    members = [(m, name, v) for m in MODULES for name, v in inspect.getmembers(m, kind) if not name.startswith("_")]
    return [value for module, _, value in members if value.__module__ == module.__name__]


RETURNED = {
    word for f in own(inspect.isfunction) for word in re.findall(r"\w+", str(inspect.signature(f).return_annotation))
}
BOOKS = {"Run"}  # kept during a run, not what it returns
RECORDS = [r for r in own(dataclasses.is_dataclass) if r.__name__ in RETURNED - BOOKS]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.__name__)
def test_results_are_frozen_and_those_with_arrays_have_no_elementwise_equality(record):
    assert record.__dataclass_params__.frozen
    if any(field.type == "Array" for field in dataclasses.fields(record)):
        assert record.__eq__ is object.__eq__
        assert record.__hash__ is object.__hash__


def test_there_are_results_to_look_at():
    assert len(RECORDS) > 30
