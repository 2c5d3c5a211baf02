"""The command in a notebook's cell prints what a terminal would."""

import os

import pytest

from multilora.cli.cells import shell
from multilora.cli.show import PAGE_WIDTH, console


def test_a_line_is_run_and_its_status_told(capsys):
    shell('multilora fit "vllm serve Llama-3.1-8B" --card 24')
    out = capsys.readouterr().out
    assert "GPU of 23.63 GiB" in out and out.endswith("(exit status 1)\n")
    assert max(map(len, out.splitlines())) <= PAGE_WIDTH
    shell("multilora --version")
    assert "exit status" not in capsys.readouterr().out


def test_an_error_is_printed_among_the_lines(capsys):
    shell("multilora plan")
    out, error = capsys.readouterr()
    assert "--model and --card are needed" in out and not error
    assert out.endswith("(exit status 2)\n")


def test_a_long_answer_is_cut_and_counted(capsys):
    shell("multilora --help")
    whole = capsys.readouterr().out.splitlines()
    shell("multilora --help", most_lines=3)
    first = capsys.readouterr().out.splitlines()
    assert first == [*whole[:3], f"(and {len(whole) - 3} more lines)"]


def test_colours_that_jupyter_asks_for_stay_out(capsys, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "200")
    shell('multilora fit "vllm serve Llama-3.1-8B" --card 80')
    assert "\x1b" not in capsys.readouterr().out
    assert os.environ["FORCE_COLOR"] == "1"
    assert os.environ["COLUMNS"] == "200"
    assert not console().is_jupyter


@pytest.mark.parametrize(
    ("line", "said"),
    [("ls", "must begin with multilora"), ("", "must begin with multilora"),
     ('multilora fit "', "No closing quotation")],
)  # fmt: skip
def test_another_line_is_refused(line, said):
    with pytest.raises(ValueError, match=said):
        shell(line)
    with pytest.raises(ValueError, match="most_lines is 0"):
        shell("multilora --version", most_lines=0)
