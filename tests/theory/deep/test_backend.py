"""What is imported when it is first needed, and what is said where it is not installed."""

import math

import pytest

from theory.deep import backend


@pytest.mark.parametrize("name", ["no_package_of_this_name", "no_package_of_this_name.part.of_it"])
def test_a_package_that_is_not_installed_is_named_with_the_extra_that_has_it(name):
    """The package, not the part of it that was asked for: that is what can be installed."""
    line = 'theory.deep needs no_package_of_this_name: python -m pip install "halfrect[deep]"'
    with pytest.raises(ImportError) as caught:
        backend.need(name)
    assert str(caught.value) == line
    assert isinstance(caught.value.__cause__, ImportError)


def test_what_is_installed_is_handed_out_as_it_is():
    assert backend.need("math") is math


def test_other_errors_of_a_package_are_its_own(tmp_path, monkeypatch):
    (tmp_path / "breaks_on_import.py").write_text("raise ZeroDivisionError('its own')\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ZeroDivisionError, match="its own"):
        backend.need("breaks_on_import")
