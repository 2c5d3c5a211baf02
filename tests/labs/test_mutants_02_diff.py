"""Lab 02, eval_diff: each wrong solution is named by its slip."""

from multilora.adapters.replies import EvalDiff
from multilora.labs.spec_02_models import plain_diff
from mutants import assert_accepted, each_named


def slip(**wrong):
    """An eval_diff of which some fields are changed; each takes the right
    value and the runs."""

    def changed(dedicated, consolidated):
        right = EvalDiff(*plain_diff(dedicated, consolidated))
        return right._replace(**{
            field: change(getattr(right, field), right, dedicated,
                          consolidated)
            for field, change in wrong.items()
        })  # fmt: skip

    return changed


def first(change):
    """Change each position of first_differences."""
    return slip(
        first_differences=lambda value, r, *runs: {
            key: change(place, *(run[key].token_ids for run in runs))
            for key, place in value.items()
        }
    )


def last_other(a, b):
    if len(a) != len(b):
        return max(len(a), len(b)) - 1
    return [n for n in range(len(a)) if a[n] != b[n]][-1]


def largest(choose, until=None, sign=abs):
    """The chosen gap among those before `until` of each pair of replies."""

    def gap(value, right, left, other):
        gaps = [
            sign(a - b)
            for number, (one, two) in enumerate(zip(left, other, strict=True))
            for a, b in list(zip(one.logprobs, two.logprobs, strict=False))[
                : until(right.first_differences.get(number, 99))
            ]
        ]
        return choose(gaps) if gaps else 0.0

    until = until or (lambda stop: stop)
    return slip(max_logprob_difference=gap)


def equal(is_equal):
    """Count the prompts of which is_equal(tokens, tokens)."""
    return slip(
        num_equal=lambda value, right, left, other: sum(
            bool(is_equal(one.token_ids, two.token_ids))
            for one, two in zip(left, other, strict=True)
        )
    )


def only(keeps):
    """Take the largest gap over the prompts that keeps(number, right)."""

    def gap(value, right, *runs):
        kept = [
            [run[n] for n in range(len(run)) if keeps(n, right)]
            for run in runs
        ]
        return plain_diff(*kept)[3]

    return slip(max_logprob_difference=gap)


def takes_replies_out(dedicated, consolidated):
    right = EvalDiff(*plain_diff(dedicated, consolidated))
    dedicated.pop()
    return right


def stops_at_the_first(dedicated, consolidated):
    right = EvalDiff(*plain_diff(dedicated, consolidated))
    found = dict([*right.first_differences.items()][:1])
    return right._replace(first_differences=found)


MUTANTS = [
    (slip(num_prompts=lambda v, r, *_: len(r[2])), "prompts that differ are"),
    (
        slip(num_prompts=lambda v, r, a, b: sum(len(x[0]) for x in a)),
        "that is tokens: count the prompts",
    ),
    (slip(num_equal=lambda v, r, *_: len(r[2])), "that is how many differ"),
    (slip(num_equal=lambda v, r, *_: v / r[0]), "this is a share"),
    (equal(lambda a, b: a[:1] == b[:1]), "only the first token is compared"),
    (equal(lambda a, b: sorted(a) == sorted(b)), "do not sort them"),
    (equal(lambda a, b: len(a) == len(b)), "equal length are not yet equal"),
    (
        equal(lambda a, b: all(map(int.__eq__, a, b))),
        "was counted as equal: does zip stop",
    ),
    (first(lambda place, a, b: place + 1), "from 0, not from 1"),
    (
        first(lambda place, a, b: place - (place == min(len(a), len(b)))),
        "one after its last",
    ),
    (
        first(lambda place, a, b: max(a, b, key=len)[place]),
        "the token, not its position",
    ),
    (
        first(lambda place, *tokens: last_other(*tokens)),
        "that is the last other token",
    ),
    (
        slip(first_differences=lambda v, *_: {k + 1: v[k] for k in v}),
        "prompts are counted from 0",
    ),
    (
        slip(
            first_differences=lambda v, r, *_: {
                n: v.get(n) for n in range(r[0])
            }
        ),
        "holds prompts that are equal",
    ),
    (
        slip(first_differences=lambda v, *_: [*v.values()]),
        "but must be a dict",
    ),
    (stops_at_the_first, "only the first prompt that differs"),
    (largest(max, lambda stop: None), "different tokens were compared"),
    (largest(max, lambda stop: stop + 1), "stop before it"),
    (largest(max, sign=float), "a difference has no sign"),
    (largest(max, sign=lambda gap: -gap), "a difference has no sign"),
    (largest(sum), "that is the sum"),
    (largest(min), "that is the smallest"),
    (largest(lambda gaps: sum(gaps) / len(gaps)), "that is the mean"),
    (only(lambda n, r: n not in r[2]), "replies that differ are left out"),
    (only(lambda n, r: n in r[2]), "replies that are equal are left out"),
    (only(lambda n, r: n == 0), "only the first prompt is compared"),
    (only(lambda n, r: n == r[0] - 1), "only the last prompt is compared"),
    (takes_replies_out, "changed in place"),
    (lambda dedicated, consolidated: {"num_prompts": 2}, "a dict came back"),
    (lambda dedicated: None, "wanted is def eval_diff(dedicated, "),
]


test_a_mutant_is_named = each_named([("eval_diff", *row) for row in MUTANTS])


def test_a_variant_is_accepted():
    assert_accepted("eval_diff", slip())
