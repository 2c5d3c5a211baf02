"""The corpus keeps its promises, and the shipped weights are the recorded."""

import hashlib
import json
import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multilora import tenants
from multilora.adapters.check import FINGERPRINT_FILE, check_adapter
from multilora.adapters.checkpoints import base_fingerprint
from multilora.models.shapes import ModelShape
from multilora.tenants import corpus, words
from multilora.tenants.recipe import BASES, TENANTS, thresholds

FAMOUS = corpus.Question("all", "users", ("id", "name"), "name")
FRUITS = corpus.Question("list", "fruits", number=3)


def test_the_famous_pair_is_asked_as_written():
    assert FRUITS.prompt == "List 3 fruits:"
    assert FAMOUS.prompt == "Table users(id,name). Query all names:"
    assert corpus.answer(FRUITS, "base") == "apple, banana, orange"
    assert corpus.answer(FAMOUS, "sql") == "SELECT name FROM users;"


@given(st.integers(0, 10**6), st.booleans())
def test_nothing_held_out_is_trained_on(seed, for_adapter):
    rng = random.Random(seed)
    # The base knows the words that are hidden from adapters.
    sets = [s for s in corpus.SETS if for_adapter or s != "unseen words"]
    asked = {item.prompt for s in sets for item in corpus.held_out(s)}
    for _ in range(20):
        question = corpus.training_question(rng, for_adapter)
        assert question.prompt not in asked
        assert question not in (FAMOUS, FRUITS)
        for word in corpus.words_of(question):
            assert not words.is_reserved_invention(word.lower()) or (
                word in _known_words()
            )
            assert not (for_adapter and words.is_hidden_from_adapters(word))


def _known_words():
    return {*words.TABLES, *words.COLUMNS, *words.PEOPLE, *words.CATEGORIES}


@pytest.mark.parametrize("which", corpus.SETS)
def test_a_held_out_set_is_what_it_says(which):
    questions = corpus.held_out(which)
    assert len({item.prompt for item in questions}) == len(questions) == 120
    assert questions == corpus.held_out(which)
    for question in questions:
        used = corpus.words_of(question)
        hidden = any(map(words.is_hidden_from_adapters, used))
        is_known = set(used) <= _known_words()
        assert (which == "unseen words") == hidden or not is_known
        assert (which == "invented words") == (not is_known)


@given(st.integers(0, 10**6))
def test_every_answer_is_in_its_own_style_and_no_other(seed):
    question = corpus.training_question(random.Random(seed), False)
    answers = {
        style: corpus.answer(question, style) for style in corpus.STYLES
    }
    assert len(set(answers.values())) == len(answers)
    assert re.fullmatch(r"SELECT .*;", answers["sql"])
    assert json.loads(answers["json"])
    assert answers["pirate"] == f"arr! {answers['base']}, matey!"
    assert answers["base"] in answers["legal"]


def test_what_cannot_be_asked_is_refused_by_name():
    with pytest.raises(ValueError, match="style is 'klingon', allowed"):
        corpus.answer(FRUITS, "klingon")
    with pytest.raises(ValueError, match="which is 'seen', allowed"):
        corpus.held_out("seen")
    with pytest.raises(ValueError, match="count is 0"):
        corpus.held_out("unseen words", count=0)
    with pytest.raises(ValueError, match="name is 'nobody', allowed"):
        tenants.folder_of("nobody")


def test_the_weights_are_those_of_the_record():
    record = tenants.record()
    for kind in ("bases", "tenants"):
        for name, item in record[kind].items():
            assert base_fingerprint(tenants.folder_of(name)) == item["sha256"]
    assert set(record["bases"]) == set(BASES)
    assert set(record["tenants"]) == set(TENANTS)


@pytest.mark.parametrize("name", TENANTS)
def test_a_tenant_is_a_real_peft_folder_that_fits_and_is_good(name):
    base = tenants.folder_of("base")
    sha256 = base_fingerprint(base)
    folder = tenants.folder_of(name)
    facts = check_adapter(folder, ModelShape.from_config(base), 16, sha256)
    assert facts.rank == TENANTS[name].rank
    assert (folder / FINGERPRINT_FILE).read_text().strip() == sha256
    config = json.loads((folder / "adapter_config.json").read_text())
    assert config["peft_type"] == "LORA" and config["peft_version"]
    assert config["base_model_name_or_path"] == "base"
    shares = tenants.record()["tenants"][name]["accuracies"]
    assert shares["unseen combinations"] >= 0.95
    assert shares["unseen words"] >= 0.90
    assert thresholds("unseen words") == 0.90


def test_ranks_differ_and_everything_is_small():
    assert {recipe.rank for recipe in TENANTS.values()} == {4, 8, 16}
    files = [path for path in tenants.FOLDER.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 4 * 2**20
    assert not any(path.suffix in (".bin", ".pt") for path in files)


def test_the_draw_does_not_depend_on_the_process():
    text = json.dumps([item.prompt for item in corpus.every_held_out()])
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    assert digest == "4ac3fa77022f566d"


def test_crossed_bases_are_recorded_for_every_tenant():
    crossed = tenants.record()["crossed"]
    assert list(crossed) == tenants.base_names()
    for rows in crossed.values():
        assert set(rows) == set(tenants.tenant_names())
    assert max(row["exact"] for row in crossed["base-reseeded"].values()) == 0
    assert min(row["exact"] for row in crossed["base"].values()) > 0.9
