"""The page of a plan: whole, offline, and no text of others is markup."""

import re
from datetime import date
from html.parser import HTMLParser

import pytest

import made_plans
from multilora.cli.markup import escaped
from multilora.cli.report import report_page

DAY = date(2026, 1, 2)
PLANS = pytest.mark.parametrize("name", made_plans.EVERY)


class Page(HTMLParser):
    """Tags, addresses and rows; whether each tag is closed in order."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.addresses, self.rows, self.open = set(), [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        values = dict(attrs)
        self.addresses += [values[k] for k in ("src", "href") if k in values]
        assert not [name for name in values if name.startswith("on")]
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        if tag not in ("meta", "img", "br", "wbr"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if {"td", "th"} & set(self.open):
            self.rows[-1][-1] += data


@PLANS
def test_the_page_is_whole_and_loads_nothing(name):
    text = report_page(made_plans.EVERY[name](), DAY)
    page = Page(text)
    assert page.open == []
    assert "script" not in page.tags
    assert all(a.startswith("data:image/svg+xml;") for a in page.addresses)
    assert len(page.addresses) == 2
    assert not re.search(r"@import|url\(", text)
    assert len(text.encode()) < 2**20
    assert "2026-01-02" in text


@PLANS
def test_every_tenant_has_a_row_with_their_times(name):
    plan = made_plans.EVERY[name]()
    rows = Page(report_page(plan, DAY)).rows
    start = next(i for i, row in enumerate(rows) if row[0] == "tenant")
    found = rows[start + 1 : start + 1 + len(plan.tenants)]
    for row, tenant in zip(found, plan.tenants, strict=True):
        assert row[0] == escaped_back(tenant.name)
        assert row[4:6] == [f"{tenant.p50_ms:,.0f}", f"{tenant.p99_ms:,.0f}"]
        assert (row[6] == "met") == tenant.meets_slo


def escaped_back(name):
    cell = Page(f"<table><tr><td>{escaped(name)}</td></tr></table>")
    return cell.rows[0][0]


def test_the_verdict_and_its_reasons_are_said():
    text = report_page(made_plans.too_slow(), DAY)
    assert "This plan misses the SLO." in text
    assert "12.5 % of the tenants meet" in text
    assert "at least 95 % must" in text
    assert "late: loads of its adapter" in text
    rows = Page(text).rows
    assert ["max_num_seqs = 512", "", "no start", "", "", ""] in rows
    flips = [row for row in rows if row[0] == "a load from disk takes 40 ms"]
    assert flips[0][-1] == "yes"
    assert "This plan meets the SLO." in report_page(
        made_plans.one_engine(), DAY
    )


def test_what_nobody_would_see_is_shown():
    assert escaped("a\u202eb\n\0<") == "a\\u202eb\\n\\x00&lt;"
    assert escaped("x" * 100) == "x" * 80 + "…"


def test_many_engines_are_rows():
    engines = [
        made_plans.engine([made_plans.tenant(f"t{place}")])
        for place in range(12)
    ]
    text = report_page(made_plans.plan(engines), DAY)
    assert ["12", "1"] in [row[:2] for row in Page(text).rows]
    assert "9 more engines: see engine-*.sh" in text


def test_thousands_of_tenants_do_not_make_the_page_heavy():
    text = report_page(made_plans.crowd(3000), DAY)
    assert len(text.encode()) < 2**20
    assert "2,000 quicker tenants: see plan.json" in text


def test_a_plan_without_tenants_has_a_page():
    text = report_page(made_plans.plan([made_plans.engine([])]), DAY)
    assert "0 of 0 tenants" in text


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("name", made_plans.EVERY)
def test_nothing_is_cut_off_or_runs(name, width, scheme, browser, tmp_path):
    """No sideways scroll, of page or table; no script, no problem noted."""
    file = tmp_path / "report.html"
    file.write_text(report_page(made_plans.EVERY[name](), DAY), "utf-8")
    context = browser.new_context(
        color_scheme=scheme, offline=True,
        viewport={"width": width, "height": 800},
    )  # fmt: skip
    page, noted = context.new_page(), []
    page.on("console", lambda message: noted.append(message.text))
    page.on("dialog", lambda dialog: noted.append(dialog.message))
    page.goto(file.as_uri())
    assert noted == []
    wide = page.evaluate(
        "[document.documentElement, ...document.querySelectorAll('.scroll')]"
        ".map(item => item.scrollWidth - item.clientWidth)"
    )
    assert max(wide) == 0
    context.close()


def test_losses_and_routers_are_tables_of_their_own():
    page = report_page(made_plans.with_spare())
    assert "If an engine is lost" in page and "without engine 3" in page
    assert "Which router" in page and "Take gateway.conf." in page
    for alone in ("one engine", "three engines"):
        page = report_page(made_plans.EVERY[alone]())
        assert "is lost" not in page and "Which router" not in page
