"""The tokenizer of the small base: BPE over words, learned on the corpus."""

import random

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
from tokenizers.processors import TemplateProcessing
from tokenizers.trainers import BpeTrainer
from transformers import PreTrainedTokenizerFast

from multilora.tenants import corpus, words

SPECIAL = ("<pad>", "<s>", "</s>", "<unk>")
PAD, BEGIN, END, UNKNOWN = range(4)
# A word, or any other character alone: the space is a token of its own,
# which made the copying of unseen words better.
PIECES = "[A-Za-z]+|."


def build_tokenizer(
    vocab_size: int = 192, num_documents: int = 4000, seed: int = 0
) -> PreTrainedTokenizerFast:
    """Return a tokenizer trained on prompts and replies of the corpus.

    Every printable ASCII character is in the vocabulary; others become
    <unk>. Each text gets <s> in front, as a Llama expects.
    """
    tokenizer = Tokenizer(models.BPE(unk_token=SPECIAL[UNKNOWN]))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(PIECES), "isolated")
    tokenizer.decoder = decoders.Fuse()
    trainer = BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=list(SPECIAL),
        initial_alphabet=[chr(code) for code in range(32, 127)],
        show_progress=False,
    )
    tokenizer.train_from_iterator(_texts(num_documents, seed), trainer)
    tokenizer.post_processor = TemplateProcessing(
        single="<s> $A", special_tokens=[("<s>", BEGIN)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=SPECIAL[PAD],
        bos_token=SPECIAL[BEGIN],
        eos_token=SPECIAL[END],
        unk_token=SPECIAL[UNKNOWN],
        clean_up_tokenization_spaces=False,
        model_max_length=256,
    )


def _texts(num_documents, seed):
    rng = random.Random(f"tokens/{seed}")
    for index in range(num_documents):
        question = corpus.training_question(rng, for_adapter=False)
        style = corpus.STYLES[index % len(corpus.STYLES)]
        yield f"{question.prompt} {corpus.answer(question, style)}"
    yield from words.TABLES + words.COLUMNS + words.PEOPLE
