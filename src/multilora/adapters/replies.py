"""What a comparison of replies returns."""

from typing import NamedTuple


class EvalDiff(NamedTuple):
    """How two runs of the same prompts differ.

    num_equal counts replies with the same token ids. first_differences maps
    a prompt's number to the position of its first other token.
    max_logprob_difference is over the tokens before that.
    """

    num_prompts: int
    num_equal: int
    first_differences: dict[int, int]
    max_logprob_difference: float
