"""What each term of a step is, in a few words."""

from multilora.serving.terms import step_terms

TERM_WORDS = {
    "step_ms": "a step, whatever is in it",
    "slot_rank_ms": "more for each slot, times rank / 16, used or not",
    "seq_ms": "more for each request in it",
    "seq_knee": "requests; each beyond them adds",
    "far_seq_ms": "this instead",
    "prompt_token_ms": "more for each token of a prompt",
    "adapter_ms": "more for each distinct adapter in it",
    "adapter_rank_ms": "and for each of them, times rank / 16",
    "adapter_knee": "adapters; each beyond them adds",
    "far_adapter_ms": "this instead of adapter_ms",
    "adapter_share": "of step, requests and tokens, for each adapter",
    "slot_load_ms": "a copy into a slot, times rank / 16",
    "disk_load_ms": "a read of the disk, before the copy",
    "api_ms": "the API server, for each first token",
    "first_use_ms": "an adapter's first request holds that server up",
}


def term_lines(model: str) -> list[str]:
    """Return a line for each of a model's step_terms: name, value, what.

    Raises ValueError for a model without fitted terms.
    """
    return [
        f"{name:16} {value:9g}  {TERM_WORDS[name]}"
        for name, value in step_terms(model)._asdict().items()
    ]
