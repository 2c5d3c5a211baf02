"""Which scenes show what a step costs, within a caller's own lengths."""

from collections.abc import Sequence
from typing import NamedTuple

from multilora.arguments import integer, shown
from multilora.serving.limits import Limits
from multilora.serving.scenes import Call, Scene

FEW_TOKENS = 32  # of a reply: steps enough for a mean
MANY_TOKENS = 128
LEAST_TOKENS = 8  # below it a reply holds too few steps
MOST_CYCLED = 64  # adapters that one round goes through
MOST_COLD = 6  # cold requests of a kind and round
STEPS_A_JOINER = 8
JOINER_TOKENS = 3  # to see in which step it came
NUM_LENGTHS = 4
KINDS = ("alone", "batches", "adapters", "prompts", "cpu tier", "disk")


class Lengths(NamedTuple):
    """(shortest, longest) prompts and replies, in tokens."""

    prompt: tuple[int, int]
    output: tuple[int, int]

    @property
    def num_tokens(self) -> int:
        """How many tokens a probe's reply has."""
        least, most = self.output
        return min(most, max(least, FEW_TOKENS), MANY_TOKENS)


def lengths(
    prompt_tokens: tuple[int, int],
    output_tokens: tuple[int, int],
    token_budget: int,
) -> Lengths:
    """Return the Lengths that are probed; prompts fit one step.

    Raises ValueError for a pair that goes down, or replies of which the
    longest is below 8 tokens.
    """
    prompt = _pair("prompt_tokens", prompt_tokens)
    output = _pair("output_tokens", output_tokens)
    if output[1] < LEAST_TOKENS:
        raise ValueError(
            f"output_tokens is {shown(output_tokens)}, but its second number "
            f"must be at least {LEAST_TOKENS}: shorter replies hold too few "
            "steps to measure"
        )
    most = integer("token_budget", token_budget, 1)
    most = max(1, most - STEPS_A_JOINER)
    return Lengths((min(prompt[0], most), min(prompt[1], most)), output)


def scenes(
    base: str,
    adapters: Sequence[str],
    limits: Limits,
    sizes: Lengths,
    max_at_once: int,
) -> tuple[list[Scene], list[str]]:
    """Return one round of Scenes in order, and why some kinds are missing.

    Steady ones first, on adapters that the round itself makes warm; then
    those from the CPU tier and from disk, where there are adapters enough
    to provoke them. A round always sends the same number of requests.
    """
    few, many = sizes.prompt
    middle = round((few * many) ** 0.5)
    warm = list(adapters[: limits.max_loras])
    room = limits.max_num_batched_tokens

    def runners(*models, prompt=middle):
        return tuple(Call(m, prompt, sizes.num_tokens) for m in models)

    def mixed(size):
        return [warm[k % len(warm)] for k in range(size)]

    most = min(max_at_once, limits.max_num_seqs)
    counts = _doubled(most)
    round_ = [
        _bring_in(warm, few),
        Scene("alone", runners(base)),
        Scene("alone", runners(warm[0])),
        Scene("alone", runners(warm[0], prompt=few)),
        Scene("alone", runners(warm[0], prompt=many)),
        Scene("batches", runners(*[base] * most)),
        *(Scene("batches", runners(*[warm[0]] * n)) for n in counts[1:]),
        *(
            Scene("adapters", runners(*warm[:n]))
            for n in _doubled(min(len(warm), most))[1:]
        ),
        Scene("adapters", runners(*mixed(most))),
        *_prompts(runners(warm[0]), warm[0], (few, many), sizes.num_tokens),
    ]
    at_once = min(most, max(1, room // many - 1) + 1)
    if at_once > 1:
        packed = runners(*[warm[0]] * at_once, prompt=many)
        round_.append(Scene("prompts", packed))
    cold, missing = _cold(base, adapters, limits, sizes, few)
    return round_ + cold, missing


def checks(round_: Sequence[Scene]) -> list[Scene]:
    """Return the scenes of a round that are played again at the end."""
    steady = [scene for scene in round_ if scene.kind in KINDS[:4]]
    last = {scene.kind: scene for scene in steady}
    brought = [scene for scene in round_ if not scene.runners][:1]
    return [*brought, *last.values()]


def _pair(name, value):
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise TypeError(
            f"{name} is {shown(value)}, but must be (shortest, longest)"
        )
    least = integer(f"{name}, shortest,", value[0], 1, 10**6)
    return least, integer(f"{name}, longest,", value[1], least, 10**6)


def _doubled(most):
    """Return 1, 2, 4, … and most."""
    counts = [1]
    while counts[-1] * 2 < most:
        counts.append(counts[-1] * 2)
    return counts + [most] * (most > 1)


def _bring_in(adapters, prompt):
    calls = tuple(Call(name, prompt, 1) for name in adapters)
    return Scene("warm", (), calls)


def _prompts(runners, model, ends, num_tokens):
    """Prompts from the shortest to the longest, each into a running step."""
    few, many = ends
    ratio = (many / few) ** (1 / (NUM_LENGTHS - 1))
    ladder = sorted({round(few * ratio**k) for k in range(NUM_LENGTHS)})
    joiners = [Call(model, length, JOINER_TOKENS) for length in ladder]
    return _joined("prompts", runners, joiners, num_tokens)


def _joined(kind, runners, joiners, num_tokens):
    """Return scenes of as many joiners as runners are likely to outlive."""
    size = max(1, num_tokens // STEPS_A_JOINER)
    return [
        Scene(kind, runners, tuple(joiners[start : start + size]))
        for start in range(0, len(joiners), size)
    ]


def _cold(base, adapters, limits, sizes, prompt):
    """Cycle through one adapter more than a tier holds: each is a miss."""
    runner = (Call(base, prompt, sizes.num_tokens),)
    slots, copies = limits.max_loras, limits.max_cpu_loras
    found, missing = [], []
    kinds = [("cpu tier", slots + 1, 0), ("disk", copies + 1, 1)]
    for kind, num, num_disk_loads in kinds:
        cycle = list(adapters[:num])
        if kind == "cpu tier" and copies == slots:
            continue  # each miss reads the disk too
        if len(cycle) < num:
            missing.append(
                f"loads from {kind} were not probed: that takes {num} "
                f"adapters, {len(adapters)} were given"
            )
        elif num > MOST_CYCLED:
            missing.append(
                f"loads from {kind} were not probed: that takes {num} "
                f"adapters, more than {MOST_CYCLED}"
            )
        else:
            joiners = [
                Call(name, prompt, JOINER_TOKENS, 1, num_disk_loads)
                for name in cycle[:MOST_COLD]
            ]
            found.append(_bring_in(cycle, prompt))
            found += _joined(kind, runner, joiners, sizes.num_tokens)
    return found, missing
