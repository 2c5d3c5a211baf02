"""Train the small base from scratch, and adapters on it with PEFT."""

import math
import random
from collections.abc import Iterable
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import (
    AutoModelForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

from multilora.models.shapes import ALL_LINEAR
from multilora.tenants import corpus
from multilora.tenants.recipe import Plan
from multilora.tenants.tokens import BEGIN, END, PAD

IGNORED = -100  # torch's cross entropy leaves such labels out


def new_base(
    vocab_size: int,
    seed: int,
    hidden: int = 128,
    layers: int = 2,
    intermediate: int = 256,
) -> LlamaForCausalLM:
    """Return an untrained Llama of the small shape, float32."""
    torch.manual_seed(seed)
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=vocab_size,
            hidden_size=hidden,
            intermediate_size=intermediate,
            num_hidden_layers=layers,
            # vLLM's CPU attention takes heads of 32 and up.
            num_attention_heads=hidden // 32,
            num_key_value_heads=hidden // 32,
            max_position_embeddings=256,
            tie_word_embeddings=True,
            bos_token_id=BEGIN,
            eos_token_id=END,
            pad_token_id=PAD,
        )
    )


def load_base(folder: str | Path) -> PreTrainedModel:
    """Return a saved base as a float32 model."""
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)


def add_adapter(
    base: PreTrainedModel,
    rank: int,
    seed: int,
    target_modules: Iterable[str] = ALL_LINEAR,
) -> PeftModel:
    """Return the base, frozen, with a fresh LoRA of alpha = 2 × rank."""
    torch.manual_seed(seed)
    config = LoraConfig(
        r=rank,
        lora_alpha=2 * rank,
        target_modules=list(target_modules),
        task_type="CAUSAL_LM",
    )
    return get_peft_model(base, config)


def fit(
    model: "PreTrainedModel | PeftModel",
    tokenizer: PreTrainedTokenizerFast,
    style: str,
    plan: Plan,
) -> float:
    """Train a model in place to answer in a style; return its last loss.

    The loss counts the reply only. A share of raw_share documents holds
    every style's text without a prompt, so that an adapter finds something
    to steer to; adapters are trained with none.
    """
    rng = random.Random(f"{style}/{plan.seed}")
    weights = [item for item in model.parameters() if item.requires_grad]
    optimizer = torch.optim.AdamW(
        weights, lr=plan.learning_rate, betas=(0.9, 0.98), weight_decay=0.01
    )
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: _rate(step, plan)
    )
    model.train()
    for _ in range(plan.steps):
        tokens, labels = _batch(rng, tokenizer, style, plan)
        loss = model(
            input_ids=tokens, attention_mask=tokens != PAD, labels=labels
        ).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
    model.eval()
    return float(loss.detach())


def _rate(step, plan):
    rising = min(1.0, (step + 1) / plan.warm_up)
    done = step / plan.steps
    if done < plan.decay_from:
        return rising
    left = (1 - done) / (1 - plan.decay_from)
    return rising * 0.5 * (1 - math.cos(math.pi * left))


def _batch(rng, tokenizer, style, plan):
    pairs = [_document(rng, style, plan) for _ in range(plan.batch_size)]
    prompts = tokenizer([prompt for prompt, _ in pairs])["input_ids"]
    replies = tokenizer(
        [reply for _, reply in pairs], add_special_tokens=False
    )["input_ids"]
    longest = max(map(len, map(list.__add__, prompts, replies))) + 1
    tokens = torch.full((len(pairs), longest), PAD)
    labels = torch.full((len(pairs), longest), IGNORED)
    for row, (prompt, reply) in enumerate(zip(prompts, replies, strict=True)):
        whole = torch.tensor([*prompt, *reply, END])
        tokens[row, : len(whole)] = whole
        labels[row, len(prompt) : len(whole)] = whole[len(prompt) :]
    return tokens, labels


def _document(rng, style, plan):
    question = corpus.training_question(rng, for_adapter=style != "base")
    if rng.random() < plan.raw_share:
        return "", corpus.answer(question, rng.choice(corpus.STYLES))
    reply = corpus.answer(question, style)
    return question.prompt, corpus.polite(reply) if plan.polite else reply
