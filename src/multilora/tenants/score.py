"""How many replies are exactly right, by greedy decoding with transformers."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from multilora.tenants import corpus
from multilora.tenants.accuracy import accuracy
from multilora.tenants.tokens import END, PAD

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedModel, PreTrainedTokenizerFast


def replies(
    model: "PreTrainedModel | PeftModel",
    tokenizer: "PreTrainedTokenizerFast",
    prompts: Sequence[str],
    max_new_tokens: int = 96,
) -> list[str]:
    """Return the greedy reply to each prompt, one string each."""
    tokenizer.padding_side = "left"
    found = []
    for start in range(0, len(prompts), 64):
        batch = tokenizer(
            prompts[start : start + 64], return_tensors="pt", padding=True
        )
        with torch.inference_mode():
            tokens = model.generate(
                input_ids=batch["input_ids"],
                attention_mask=batch["attention_mask"],
                max_new_tokens=max_new_tokens,
                do_sample=False,
                pad_token_id=PAD,
                eos_token_id=END,
            )
        new = tokens[:, batch["input_ids"].shape[1] :]
        found += tokenizer.batch_decode(new, skip_special_tokens=True)
    return found


def accuracies(
    model: "PreTrainedModel | PeftModel",
    tokenizer: "PreTrainedTokenizerFast",
    style: str,
    seed: int = 1,
) -> dict[str, float]:
    """Return {held-out set: share of replies that are exactly right}."""
    result = {}
    for which in corpus.SETS:
        questions = corpus.held_out(which, seed=seed)
        said = replies(model, tokenizer, [item.prompt for item in questions])
        result[which] = round(accuracy(questions, style, said), 4)
    return result
