"""The training code at toy size: it writes what the full recipe writes."""

import dataclasses
from pathlib import Path

import pytest

from multilora.adapters.check import FINGERPRINT_FILE, check_adapter
from multilora.adapters.checkpoints import base_fingerprint
from multilora.models.shapes import ModelShape

pytestmark = [pytest.mark.engine, pytest.mark.filterwarnings("ignore")]


@pytest.fixture
def short(monkeypatch):
    """Every plan cut to a few steps, held-out sets to a few questions."""
    from multilora.tenants import corpus, recipe

    for recipes in (recipe.BASES, recipe.TENANTS):
        for name, item in recipes.items():
            plan = dataclasses.replace(item.plan, steps=6, warm_up=2)
            monkeypatch.setitem(
                recipes, name, dataclasses.replace(item, plan=plan)
            )
    full = corpus.held_out
    monkeypatch.setattr(
        corpus, "held_out", lambda which, seed=1: full(which, 4, seed)
    )


def test_base_and_tenant_are_written_as_the_book_needs_them(short, tmp_path):
    from multilora.tenants.cross import cross
    from multilora.tenants.make import failures, train_base, train_tenant

    base = train_base(tmp_path, "base")
    tuned = train_base(tmp_path, "base-tuned")
    assert base["sha256"] == base_fingerprint(tmp_path / "base")
    assert tuned["start_from"] == "base" and tuned["sha256"] != base["sha256"]
    tenant = train_tenant(tmp_path, "sql")
    assert tenant["base_sha256"] == base["sha256"]
    shape = ModelShape.from_config(tmp_path / "base")
    facts = check_adapter(tmp_path / "sql", shape, 8, base["sha256"])
    assert (facts.rank, facts.alpha) == (8, 16)
    files = {path.name for path in (tmp_path / "sql").iterdir()}
    assert files == {
        "adapter_config.json", "adapter_model.safetensors", FINGERPRINT_FILE,
    }  # fmt: skip
    rows = cross(tmp_path, "base-tuned", ["sql"])
    assert set(rows["sql"]) == {"exact", "base's answer"}
    record = {"bases": {"base": base}, "tenants": {"sql": tenant}}
    assert any("sql, unseen words: 0.000" in line for line in failures(record))


def test_weights_are_replaced_only_by_better_than_the_thresholds(
    monkeypatch, tmp_path
):
    from multilora.tenants import make as module

    share = {"unseen words": 0.5}

    def made(folder):
        (Path(folder) / "tenants.json").write_text(str(share))
        item = {"accuracies": share, "seconds": 1}
        return {"made": {"seconds": 1}, "bases": {}, "tenants": {"a": item}}

    monkeypatch.setattr(module, "make", made)
    old = tmp_path / "tenants"
    old.mkdir()
    with pytest.raises(SystemExit, match=r"holds no tenants\.json"):
        module.main([str(old)])
    (old / "tenants.json").write_text("old")
    with pytest.raises(SystemExit, match=r"0\.500 is below 0\.9"):
        module.main([str(old)])
    assert (old / "tenants.json").read_text() == "old"
    share["unseen words"] = 0.95
    module.main([str(old)])
    assert "0.95" in (old / "tenants.json").read_text()
    assert [path.name for path in tmp_path.iterdir()] == ["tenants"]
    with pytest.raises(SystemExit, match="FOLDER"):
        module.main([])


def test_the_same_seed_gives_the_same_bytes(short, tmp_path):
    from multilora.tenants.make import train_base

    first = train_base(tmp_path / "a", "base")
    again = train_base(tmp_path / "b", "base")
    other = train_base(tmp_path / "c", "base-reseeded")
    assert first["sha256"] == again["sha256"] != other["sha256"]


def test_the_tokenizer_gives_back_every_text():
    from multilora.tenants import corpus
    from multilora.tenants.tokens import UNKNOWN, build_tokenizer

    tokenizer = build_tokenizer(num_documents=200)
    for question in corpus.held_out("invented words"):
        for style in corpus.STYLES:
            text = corpus.answer(question, style)
            tokens = tokenizer(text)["input_ids"]
            assert UNKNOWN not in tokens
            back = tokenizer.decode(tokens, skip_special_tokens=True)
            assert back == text
    assert UNKNOWN in tokenizer("é")["input_ids"]
