"""check, on a function from a cell: what it says, and what it lets end."""

import sys

import pytest

from multilora.labs import check


def test_check_takes_a_function_from_a_cell(capsys):
    def my_saved(tenants, max_loras):
        return None

    assert not check(my_saved, name="gpus_saved")
    assert "not attempted yet" in capsys.readouterr().out
    with pytest.raises(ValueError, match="name is 'my_saved'"):
        check(my_saved)
    with pytest.raises(TypeError, match="function is 7"):
        check(7)


def test_a_function_that_raises_is_reported_not_raised(capsys):
    def gpus_saved(tenants, max_loras):
        return tenants / 0

    assert not check(gpus_saved)
    said = capsys.readouterr().out
    assert "raised ZeroDivisionError" in said
    assert "of test_check.py" in said


def test_an_exit_in_a_learners_function_ends_nothing(capsys):
    def gpus_saved(tenants, max_loras):
        sys.exit(3)

    assert not check(gpus_saved)
    assert "raised SystemExit" in capsys.readouterr().out
