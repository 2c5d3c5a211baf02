"""What the cells of "Your own case" print: plain, narrow, no surprise."""

import subprocess
import sys

import pytest

import made_plans
from multilora.cli import case_show, show
from multilora.cli.plan_show import print_plan
from multilora.logs.read import example_log_path, read_log
from multilora.plan.advice import SlotChoice

# A terminal's colours, rich's markup, a line break, letters without end.
NAMES = ["\x1b[31mred", "[/bold]", "[red]x", "a\nb", "x" * 4000, "日本", "-"]


def tenant(name, **more):
    return made_plans.tenant(name, **more)


def printed(capsys):
    lines = capsys.readouterr().out.splitlines()
    assert all(len(line) <= 78 and line == line.rstrip() for line in lines)
    return lines


def test_a_log_is_told_in_its_own_numbers(capsys):
    log = read_log(example_log_path())
    case_show.print_log(log)
    lines = printed(capsys)
    assert lines[1].startswith(f"{log.num_requests:,} requests of 40 tenants")
    assert lines[1].endswith("tokens; 0 lines skipped") and len(lines) == 2


def test_skipped_lines_and_notes_are_told(capsys, tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("time,adapter\n0,a\nx,a\n9,b\n", "utf-8")
    log = read_log(path, prompt_default=5, output_default=6)
    case_show.print_log(log)
    said = capsys.readouterr().out
    assert "1 line skipped" in said and "first in line 3" in said
    assert all(note in said for note in log.notes)


@pytest.mark.parametrize("name", NAMES)
def test_a_tenant_may_have_any_name(capsys, name):
    late = tenant(name, p99_ms=5e8, meets_slo=False, cause="deferral")
    case_show.print_late([late, tenant("fine")])
    lines = printed(capsys)
    assert lines[0] == "late: 1 of 2 tenants" and len(lines) == 5
    print_plan(made_plans.plan([made_plans.engine([late])]), 5, None)
    said = capsys.readouterr().out
    assert "\x1b" not in said and show.plain(name, False)[:20] in said


def test_nobody_late_and_nobody_there_are_told(capsys):
    case_show.print_late([tenant("a")])
    case_show.print_late([])
    assert "late: 0 of 0 tenants" in printed(capsys)


def test_what_does_not_start_is_said_so(capsys):
    case_show.print_choices([SlotChoice(4, 1, 0, 9, None)])
    case_show.print_outcomes({"a": None})
    case_show.print_shares(["1 slot"], {"a": [None], "b": [0.5]})
    lines = printed(capsys)
    assert lines[:2] == [
        "max_loras=  4: may not start", f"{'a':27} may not start",
    ]  # fmt: skip
    assert lines[3].split() == ["a", "no", "start"]
    assert lines[4].split() == ["b", "50", "%"]


@pytest.mark.parametrize("name", made_plans.EVERY)
def test_each_doubt_has_its_verdict(capsys, name):
    plan = made_plans.EVERY[name]()
    case_show.print_doubts(plan)
    _, first, *rows = printed(capsys)
    assert first.endswith("kept" if plan.is_met else "broken")
    for one, row in zip(plan.assumptions, rows, strict=True):
        assert row.startswith(one.instead[:46])
        assert row.endswith("kept" if plan.is_met != one.flips else "broken")


def test_in_a_notebook_a_table_is_plain_text_of_78_letters():
    """Also where the kernel says that it is a terminal with colours."""
    code = (
        "import sys\n"
        "class Out:\n"
        "    def __init__(self, out): self.out = out\n"
        "    def __getattr__(self, name): return getattr(self.out, name)\n"
        "    def isatty(self): return True\n"
        "Out.__module__ = 'ipykernel.iostream'\n"
        "sys.stdout = Out(sys.stdout)\n"
        "from multilora.cli.show import console, table\n"
        "assert console().width == 78\n"
        "console().print(table(('', 'b'), [('x', '1')]), style='bold red')\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True,
        env={"FORCE_COLOR": "1", "COLUMNS": "200"} | _paths(),
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    assert "\x1b" not in ran.stdout
    assert [line.split() for line in ran.stdout.splitlines()] == [
        ["b"], ["x", "1"],
    ]  # fmt: skip


def _paths():
    return {"PYTHONPATH": ":".join(sys.path)}


def test_many_late_tenants_are_cut_and_counted(capsys):
    late = [tenant(f"t{k}", p99_ms=k, meets_slo=False) for k in range(40)]
    case_show.print_late(late, top=3)
    lines = printed(capsys)
    assert [line.split()[0] for line in lines[2:5]] == ["t39", "t38", "t37"]
    assert lines[5] == "and 37 more"


def test_nearly_all_are_not_all(capsys):
    case_show.print_shares(["a"], {"x": [0.999], "y": [1.0], "z": [0.714]})
    rows = [line.split()[1] for line in printed(capsys)[1:]]
    assert rows == ["99", "100", "71"]
