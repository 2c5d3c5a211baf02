"""Tables of places and findings: whole as text, safe and breakable as HTML."""

import pytest

from multilora.evidence import anchors, reconciliation
from multilora.figures.tables import Table, findings_table, stop_table


def test_every_stop_and_finding_is_in_its_table():
    for stop in anchors.stops():
        text, page = repr(stop_table(stop)), stop_table(stop)._repr_html_()
        assert page.count("<tr>") == len(anchors.anchors(stop)) + 1
        for item in anchors.anchors(stop):
            assert f"{item.file}:{item.line}; {item.symbol}" in text
    text = repr(findings_table())
    for item in reconciliation.findings():
        assert (
            f"{item.claim}; {item.ours}; {item.vllm} | {item.cases:,}" in text
        )
    exact = [line.endswith("| none") for line in text.splitlines()]
    assert exact == sorted(exact, reverse=True)
    with pytest.raises(ValueError, match="stop is 'x', allowed: 'request'"):
        stop_table("x")


def test_what_is_code_stays_text():
    page = Table(("a<b",), [(["1 < 2", "x.y_z"],)])._repr_html_()
    assert "<th>a&lt;b</th>" in page and "1 &lt; 2<br>" in page
    assert "<code>x.<wbr>y_<wbr>z</code>" in page
