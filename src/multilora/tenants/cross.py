"""Every tenant on every base of its shape: which answers are still right?"""

from collections.abc import Iterable
from pathlib import Path


def cross(
    folder: str | Path, base: str, tenants: Iterable[str]
) -> dict[str, dict[str, float]]:
    """Return {tenant: shares} of tenants served on one base by PEFT.

    exact is the share of all held-out prompts with the tenant's answer,
    "base's answer" the share with the answer that the base was trained to
    give. A wrong base raises nothing: the shapes fit.
    """
    import torch
    from peft import PeftModel
    from transformers import AutoTokenizer

    from multilora.tenants import corpus, score
    from multilora.tenants.accuracy import accuracy, share_equal
    from multilora.tenants.recipe import BASES
    from multilora.tenants.train import load_base

    torch.set_num_threads(1)
    questions = corpus.every_held_out()
    prompts = [question.prompt for question in questions]
    own = [corpus.answer(question, "base") for question in questions]
    if BASES[base].plan.polite:
        own = [corpus.polite(text) for text in own]
    tokenizer = AutoTokenizer.from_pretrained(Path(folder) / base)
    found = {}
    for name in tenants:
        model = PeftModel.from_pretrained(
            load_base(Path(folder) / base), Path(folder) / name
        )
        said = score.replies(model, tokenizer, prompts)
        found[name] = {
            "exact": round(accuracy(questions, name, said), 4),
            "base's answer": round(share_equal(own, said), 4),
        }
    return found
