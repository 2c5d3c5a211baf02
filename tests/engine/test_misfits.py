"""Adapters that do not fit, met by a running engine."""

import pytest

from multilora import engine
from multilora.adapters.check import AdapterError
from multilora.adapters.misfits import PAYLOAD_RAN, make_misfit
from multilora.engine.trial import try_misfits
from multilora.tenants import corpus, folder_of
from multilora.tenants.accuracy import accuracy
from voices import BASE, FAMOUS, FRUITS

pytestmark = [pytest.mark.engine, pytest.mark.filterwarnings("ignore")]


def test_nan_of_one_tenant_reaches_a_reply_of_the_base(tmp_path):
    """On the CPU build, through KV blocks that are used again."""
    bad = make_misfit("NaN weights", folder_of("sql"), tmp_path / "x")
    with engine.start(BASE, max_loras=2) as running:

        def said(tag):
            (reply,) = running.generate([FRUITS], [tag])
            return reply.text

        before = said(None)
        running.load("bad", bad, check=False)
        said("bad")
        assert said(None) != before


def test_a_wrong_base_loads_in_silence_and_is_wrong():
    prompts = [item.prompt for item in corpus.held_out("unseen words", 40)]
    questions = corpus.held_out("unseen words", 40)
    with engine.start(folder_of("base-reseeded"), max_loras=1) as other:
        other.load("sql", folder_of("sql"))
        said = other.generate(prompts, ["sql"] * 40)
        assert accuracy(questions, "sql", [item.text for item in said]) == 0
        with pytest.raises(AdapterError, match="was trained on base 2c36e"):
            other.load("again", folder_of("sql"), check_base=True)
        assert list(other.adapters) == ["sql"]


def test_misfits_are_met_as_the_lab_says(tmp_path):
    with engine.start(BASE, max_loras=2) as victim:
        trials = try_misfits(victim, folder_of("sql"), tmp_path)
        served = {item.kind for item in trials if item.vllm == "loads"}
        left = {item.kind for item in trials if item.vllm == "half-loads"}
        assert served == {
            "made for a smaller base", "made for a deeper base", "NaN weights",
        }  # fmt: skip
        assert left == {
            "made for a larger base", "r = 8 on paper, 32 in the file",
        }  # fmt: skip
        assert all(item.check_says for item in trials)
        assert not list(tmp_path.rglob(PAYLOAD_RAN))
        # Asked for again, a half-loaded adapter is accepted.
        from vllm.lora.request import LoRARequest

        bad = make_misfit("made for a larger base", folder_of("sql"),
                          tmp_path / "again")  # fmt: skip
        request = LoRARequest("bad", 77, str(bad))
        core = victim.llm.llm_engine
        with pytest.raises(RuntimeError):
            core.add_lora(request)
        assert core.add_lora(request)
        core.remove_lora(77)
        # Unchecked through our helper, nothing is left behind.
        with pytest.raises(AdapterError, match="vLLM refuses bad"):
            victim.load("bad", bad, check=False)
        assert not victim.adapters and not core.list_loras()
        victim.load("sql", folder_of("sql"))
        (reply,) = victim.generate([FAMOUS], ["sql"])
        assert reply.text == "SELECT name FROM users;"
