"""The last lines of a test run: what ran, what did not and what runs it."""

from collections import Counter


def pytest_terminal_summary(terminalreporter):
    """Print counts by kind, and each reason to skip once, with its number."""
    stats = terminalreporter.stats
    skipped = Counter(map(reason_of, stats.get("skipped", ())))
    ran = [
        report
        for outcome in ("passed", "failed")
        for report in stats.get(outcome, ())
        if getattr(report, "when", "") == "call"
    ]
    lines = summary([report.nodeid for report in ran], skipped)
    if lines:
        terminalreporter.section("what ran, and what did not")
        for line in lines:
            terminalreporter.write_line(line)


def summary(ran, skipped):
    """Return the lines for the ids of what ran and a count by reason."""
    cells = [node for node in ran if ".ipynb::" in node]
    notebooks = sorted({node.partition("::")[0] for node in cells})
    lines = []
    if len(ran) > len(cells):
        lines.append(f"{len(ran) - len(cells):6,} tests ran")
    if cells:
        lines.append(
            f"{len(cells):6,} cells ran again and were compared, in "
            f"{len(notebooks)} {'notebooks' if notebooks[1:] else 'notebook'}"
        )
    lines += [
        f"{number:6,} skipped: {reason}"
        for reason, number in sorted(
            skipped.items(), key=lambda item: (-item[1], item[0])
        )
    ]
    return lines


def reason_of(report):
    """Return why a report's test was skipped, without pytest's prefix."""
    reason = report.longrepr
    if isinstance(reason, tuple):
        reason = reason[2]
    return str(reason).removeprefix("Skipped: ")
