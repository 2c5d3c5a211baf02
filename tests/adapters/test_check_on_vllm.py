"""What check_adapter says is what vLLM's loader does, on every small base.

vLLM 0.32.0 is asked: its PEFTHelper, LoRAModel and LoRAModelManager on the
model's own class, without weights.
"""

import json

import pytest

from made_adapters import kinds, write
from multilora.adapters.check import AdapterError, check_adapter
from multilora.adapters.places import places_of
from multilora.models.family import family_names
from multilora.models.shapes import ModelShape
from repository import ROOT
from small_bases import BASES as MADE
from vllm_loader import load

pytestmark = pytest.mark.engine
MAX_RANK = 64
# vLLM runs these as transformers' models, under names of its own.
RENAMED = {"gpt_bigcode", "gpt_neox"}
_SMALL = json.loads(
    (ROOT / "tests/support/small_configs.json").read_text("utf-8")
)
_TYPES = {config["model_type"] for config in _SMALL.values()}


def _is_known(config):
    inner = config.get("text_config") or config
    kinds = {config["model_type"], inner.get("model_type")} - {None}
    return kinds <= set(family_names()) and not kinds & RENAMED


BASES = {
    name: config for name, config in _SMALL.items() if _is_known(config)
} | {
    name: config
    for name, config in MADE.items()
    if config["model_type"] not in _TYPES
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """{base: {kind: folder}} of adapters made for every base."""
    root = tmp_path_factory.mktemp("made")
    return {
        base: {
            kind: write(root / base / kind, made, **config)
            for kind, (made, config) in kinds(
                ModelShape.from_config(BASES[base])
            ).items()
        }
        for base in BASES
    }


@pytest.fixture(scope="module")
def answers(folders):
    """{base: {kind: what vLLM's loader did}}."""
    cases = [
        {
            "config": BASES[base],
            "folders": list(made.values()),
            "max_lora_rank": MAX_RANK,
        }
        for base, made in folders.items()
    ]
    found = {}
    for base, answer in zip(folders, load(cases), strict=True):
        assert isinstance(answer, list), f"{base}: {answer['error']}"
        found[base] = dict(zip(folders[base], answer, strict=True))
    return found


@pytest.mark.parametrize("base", BASES)
def test_the_verdict_is_vllms(base, folders, answers):
    shape = ModelShape.from_config(BASES[base])
    places = places_of(shape, "0.32.0")
    for kind, folder in folders[base].items():
        theirs = answers[base][kind]
        try:
            facts = check_adapter(folder, shape, MAX_RANK)
        except AdapterError as error:
            is_silent = theirs["error"] is None
            assert not is_silent or not any(theirs["modules"].values()), (
                f"{kind}: vLLM serves it, we say {error}"
            )
            assert is_silent == ("apply nothing" in str(error)), kind
            continue
        assert theirs["error"] is None, f"{kind}: {theirs['error']}"
        name_of = places.renames.module
        assert {name_of(name) for name in facts.not_applied} == {
            name
            for name, is_applied in theirs["modules"].items()
            if not is_applied
        }, kind
        ours = {name_of(name): own for name, own in facts.scalings.items()}
        assert theirs["scalings"] == pytest.approx(
            {name: ours.get(name, facts.scaling) for name in theirs["modules"]}
        ), kind


def test_each_outcome_was_met(answers):
    """Refused, applied in part and not at all: no test above is idle."""
    found = [each for base in answers.values() for each in base.values()]
    shares = {
        sum(each["modules"].values()) / len(each["modules"])
        for each in found
        if not each["error"]
    }
    assert sum(bool(each["error"]) for each in found) > 50
    assert {0.0, 1.0} < shares
