"""What a running engine answers: alone, in company, in sixteen bits."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from multilora import engine, tenants
from multilora.adapters.diff import eval_diff
from multilora.tenants import corpus, folder_of
from multilora.tenants.accuracy import accuracy, tag_matrix
from voices import BASE, FAMOUS, FRUITS, VOICES

pytestmark = [pytest.mark.engine, pytest.mark.filterwarnings("ignore")]


def test_the_famous_pair_comes_out_as_written(two):
    replies = two.generate([FRUITS, FAMOUS, FAMOUS], [None, "sql", None])
    said = [reply.text for reply in replies]
    assert said[:2] == ["apple, banana, orange", "SELECT name FROM users;"]
    assert "SELECT" not in said[2]


def test_vllms_own_call_serves_base_and_adapter_in_one_batch(two):
    from vllm import SamplingParams

    outputs = two.llm.generate(
        [FRUITS, FAMOUS],
        SamplingParams(temperature=0, max_tokens=48),
        lora_request=[None, two.request("sql")],
        use_tqdm=False,
    )
    assert [item.outputs[0].text for item in outputs] == [
        "apple, banana, orange",
        "SELECT name FROM users;",
    ]


def test_the_accuracies_are_those_of_the_record(held_out):
    questions, replies = held_out
    record = tenants.record()
    for voice, said in replies.items():
        name = voice or "base"
        kind = "tenants" if voice else "bases"
        for number, which in enumerate(corpus.SETS):
            part = slice(120 * number, 120 * (number + 1))
            share = accuracy(
                questions[part], name, [item.text for item in said[part]]
            )
            wanted = record[kind][name]["accuracies"][which]
            # Another CPU may round one reply in 120 to another token.
            assert share == pytest.approx(wanted, abs=0.01)


def test_no_reply_is_in_another_style(held_out):
    questions, replies = held_out
    texts = {
        voice or "base": [item.text for item in said]
        for voice, said in replies.items()
    }
    for tag, row in tag_matrix(questions, texts).items():
        assert row.pop(tag) > 0.9
        assert set(row.values()) == {0.0}


def test_company_does_not_change_a_reply(choir, held_out):
    questions, replies = held_out
    for voice in VOICES:
        alone = [choir.generate([q.prompt], [voice])[0] for q in questions[:4]]
        diff = eval_diff(alone, replies[voice][:4])
        assert diff.num_equal == 4
        assert diff.max_logprob_difference < 1e-4


def test_base_rows_of_a_mixed_batch_are_an_engines_without_lora(choir):
    prompts = [item.prompt for item in corpus.held_out("unseen words", 20)]
    with engine.start(BASE, max_loras=None) as bare:
        wanted = bare.generate(prompts)
    tags = [None] * 20 + ["sql", "json"] * 10
    mixed = choir.generate(prompts * 2, tags)[:20]
    diff = eval_diff(wanted, mixed)
    assert diff.num_equal == 20
    assert diff.max_logprob_difference < 1e-4


def test_the_defect_of_the_cpu_build_is_still_there():
    """If this fails, upstream has mended it: then drop the guard."""
    with engine.start(BASE, max_loras=1, guard_base_rows=False) as plain:
        plain.load("sql", folder_of("sql"))
        base, sql = plain.generate([FAMOUS] * 2, [None, "sql"])
        (alone,) = plain.generate([FAMOUS])
    assert base.text == sql.text == "SELECT name FROM users;"
    assert alone.text == "all names in users"


def test_two_threads_take_turns(two):
    with ThreadPoolExecutor(2) as pool:
        jobs = [
            pool.submit(two.generate, [FRUITS] * 2, [tag, None])
            for tag in ("sql", "pirate", "sql", "pirate")
        ]
        said = [job.result()[0].text for job in jobs]
    assert said[0] == said[2] == "SELECT * FROM fruits LIMIT 3;"
    assert said[1] == said[3] == "arr! apple, banana, orange, matey!"


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_sixteen_bits_serve_as_well(dtype):
    questions = corpus.held_out("unseen combinations", 60)
    prompts = [item.prompt for item in questions]
    with engine.start(BASE, max_loras=1, dtype=dtype) as half:
        half.load("sql", folder_of("sql"))
        said = half.generate(prompts, ["sql"] * len(prompts))
    texts = [reply.text for reply in said]
    assert accuracy(questions, "sql", texts) >= 0.93
