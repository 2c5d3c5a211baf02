"""An adapter that is loaded while the others answer, and taken out again."""

import threading
import time
from functools import partial

from multilora.canary.company import Answers, Session, case_of, in_company
from multilora.canary.greedy import together
from multilora.canary.wrong import Case
from multilora.serving.replies import CalibrationError
from multilora.serving.served import Loaded

# The others' answers, in times of num_tokens: the load must come in the
# middle of them, while their batch stays the same.
LONGER = 8


def load_among(
    session: Session, loaded: Loaded, name: str, folder: str, answers: Answers
) -> tuple[list[Case], Answers]:
    """Load an adapter while all answer; return Cases, and its own answers.

    First the others answer while it is loaded and first used, as often as
    the session repeats, then in batches with it. The adapter stays: who made
    `loaded` takes it out. Raises CalibrationError where the server refuses it.
    """
    own_s, longer = _longer(session, list(answers))
    cases: list[Case] = []
    for number in range(session.repeats):
        if number and (stayed := loaded.unload(name)):
            raise CalibrationError("; ".join(stayed))
        times = f"{number + 1}/{session.repeats}"
        session.progress(f"{name}: loaded while others answer, {times}")
        cases += _while_loading(session, loaded, name, folder, longer, own_s)
    greedy = session.greedy
    own = {prompt: greedy.ask(name, prompt) for prompt in session.prompts}
    with_it = {**answers, name: own}
    cases += in_company(session, with_it, ("loaded", "loaded"))
    return cases, {name: own}


def _longer(session, models) -> tuple[float, Answers]:
    """Return the seconds that a longer answer takes alone, and each one's."""
    prompt = session.prompts[0]
    own: Answers = {}
    took_s = []
    for model in models:
        start = time.perf_counter()
        reply = session.greedy.ask(model, prompt, False, _num_tokens(session))
        own[model] = {prompt: reply}
        took_s.append(time.perf_counter() - start)
    return min(took_s), own


def _while_loading(session, loaded, name, folder, own, own_s) -> list[Case]:
    over, begin = threading.Event(), threading.Barrier(len(own) + 1)
    prompt, cases = session.prompts[0], []
    num_tokens, quarter_s = _num_tokens(session), own_s / 4

    def go_on(model):
        begin.wait()
        while True:
            reply = session.greedy.ask(model, prompt, False, num_tokens)
            cases.append(case_of("load", model, prompt, reply, own))
            if over.is_set():
                return

    def load():
        begin.wait()
        over.wait(quarter_s)
        loaded.load({name: folder}, session.served)
        over.wait(quarter_s)  # its first request changes the batch
        for one in session.prompts:
            session.greedy.ask(name, one)
        over.set()

    tasks = [*(partial(go_on, model) for model in own), load]
    guarded = [partial(_until, over, begin, task) for task in tasks]
    together(session.greedy.client, guarded, over)
    return cases


def _num_tokens(session):
    """Return how long the others' answers are; a prompt must fit too."""
    short, longest = session.greedy.num_tokens, session.served.max_model_len
    most = LONGER * short
    return most if longest is None else max(short, min(most, longest // 2))


def _until(over, begin, task):
    """Do a task; its error ends the others, which then raise none."""
    try:
        task()
    except threading.BrokenBarrierError:
        pass
    except BaseException:
        over.set()
        begin.abort()
        raise
