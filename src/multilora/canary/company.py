"""The same prompts alone, in company of the same model, and of all others."""

import random
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from multilora.arguments import items
from multilora.canary.alike import Noise, is_changed, moved, share_agreeing
from multilora.canary.greedy import Greedy, Reply
from multilora.canary.wrong import Case
from multilora.serving.served import Served

PREFIX_TOKENS = 300  # two blocks of 128 tokens, the CPU build's size
LEAST_PREFIX = 32
FILLER = (
    "A letter to all members of the club: the meeting is on Monday, at nine "
    "in the hall, and whoever brings a chair may keep it. "
)


Answers = dict[str, dict[str, Reply]]  # {model: {prompt: its own answer}}


class Session(NamedTuple):
    """A server that is being asked, and what; num_new are to be loaded."""

    greedy: Greedy
    served: Served
    prompts: tuple[str, ...]
    num_new: int
    repeats: int
    rng: random.Random
    progress: Callable[[str], object]

    @property
    def models(self) -> list[str]:
        return [self.served.base, *self.served.adapters]


class Own(NamedTuple):
    """What models answer when nobody else is there, and how sure that is.

    is_exact: each answer alone comes again. alone and among are the leading
    tokens that agree with the first answer, as a share: of the next answer
    alone, and of answers in batches of the same model.
    """

    answers: Answers
    is_exact: bool
    noise: Noise
    alone: float
    among: float

    @property
    def replies(self) -> list[Reply]:
        return [r for mine in self.answers.values() for r in mine.values()]

    @property
    def has_logprobs(self) -> bool:
        return all(reply.logprobs for reply in self.replies if reply.tokens)


def own_answers(session: Session) -> Own:
    """Ask each model each prompt alone, twice, then in batches of its own.

    A batch of one model has as many requests as one of all models has.
    """
    greedy, models = session.greedy, session.models
    size = len(models) + session.num_new
    answers: Answers = {}
    alone, among, largest, is_exact = [], [], 0.0, True
    for model in models:
        answers[model] = {}
        session.progress(f"{model}: alone, and in a batch of its own")
        for prompt in session.prompts:
            first = greedy.ask(model, prompt)
            again = greedy.ask(model, prompt)
            batch = greedy.ask_together([(model, prompt)] * size)
            answers[model][prompt] = first
            is_exact &= not is_changed(again, first, Noise())
            alone.append(share_agreeing(again, first))
            among += [share_agreeing(reply, first) for reply in batch]
            moves = [moved(reply, first) for reply in (again, *batch)]
            largest = max(largest, *moves)
    noise = Noise(largest)
    return Own(answers, is_exact, noise, _mean(alone), _mean(among))


def in_company(
    session: Session, answers: Answers, checks: tuple[str, str]
) -> list[Case]:
    """Ask all models at once, in an order of chance; return the Cases.

    checks are the names for the base and for the adapters.
    """
    cases = []
    for number in range(session.repeats):
        session.progress(f"batches of all, {number + 1}/{session.repeats}")
        for prompt in session.prompts:
            models = list(answers)
            session.rng.shuffle(models)
            asked = [(model, prompt) for model in models]
            replies = session.greedy.ask_together(asked)
            cases += [
                case_of(
                    checks[model != session.served.base],
                    model, prompt, reply, answers,
                )
                for model, reply in zip(models, replies, strict=True)
            ]  # fmt: skip
    return cases


def case_of(
    check: str, model: str, prompt: str, reply: Reply, answers: Answers
) -> Case:
    """Return a Case of a prompt that all models were asked alone."""
    own = answers[model][prompt]
    others = {
        name: theirs[prompt]
        for name, theirs in answers.items()
        if name != model
    }
    return Case(check, model, prompt, reply, own, others)


def in_turn(session: Session) -> tuple[list[Case], str | None]:
    """Ask new long prompts, each by all models in turn, twice; the Cases.

    First with a KV cache of each request's own (cache_salt), then with the
    one that all share: who finds blocks of another model there answers
    otherwise. Also returns why it was not tried.
    """
    greedy = session.greedy
    if "cache_salt" not in greedy.extras:
        return [], "the server takes no cache_salt"
    cases: list[Case] = []
    for number in range(session.repeats):
        session.progress(f"new prompts, {number + 1}/{session.repeats}")
        prompt = _new_prompt(session)
        if prompt is None:
            return [], "/tokenize or max_model_len allow no long prompt"
        models = session.models[number % len(session.models) :]
        models += [m for m in session.models if m not in models]
        own: Mapping[str, Reply] = {m: greedy.ask(m, prompt) for m in models}
        said = f"a new long prompt, number {number + 1}"
        for model in models * 2:
            reply = greedy.ask(model, prompt, shares_cache=True)
            others = {n: r for n, r in own.items() if n != model}
            case = Case("prefix", model, said, reply, own[model], others)
            cases.append(case)
    return cases, None


def _new_prompt(session: Session) -> list[int] | None:
    """Return token ids that no server has seen, or None."""
    longest = session.served.max_model_len
    num = PREFIX_TOKENS
    if longest is not None:
        num = min(num, longest - session.greedy.num_tokens - 1)
    if num < LEAST_PREFIX:
        return None
    text = f"{uuid.uuid4().hex} " + " ".join(session.prompts) + " "
    text += FILLER * (1 + PREFIX_TOKENS // 20)
    body = {"model": session.served.base, "prompt": text}
    answer = session.greedy.client.ask("/tokenize", body)
    try:
        tokens = items("tokens", answer.body["tokens"], int)[:num]
    except (TypeError, KeyError, ValueError):
        return None
    return tokens if len(tokens) >= LEAST_PREFIX else None


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
