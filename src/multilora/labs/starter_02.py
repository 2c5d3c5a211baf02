"""Lab 02, your part: dedicated against consolidated. About 45 minutes.

None of it needs vLLM. Replace each `return None`. Then, from the folder of
the README: make grade LAB=02
"""


def merge_weights(W, A, B, scaling):
    """One tenant's own copy of a layer (5 minutes).

    W (out, in), A (r, in), B (out, r) -> (out, in). What x @ result.T gives
    is what apply_single of lab 01 gave. W stays as it is: it is the base.
    """
    return None


def eval_diff(dedicated, consolidated):
    """Two runs of the same prompts, compared token by token (25 minutes).

    Each is a list of replies with .token_ids and .logprobs, one for each
    token. Return multilora.evaluation.EvalDiff: how many prompts, how many
    with the same token ids, {prompt's number: position of the first other
    token}, and the largest difference of logprobs before that position. A
    reply that only stops earlier differs where it stops.
    """
    return None


def base_fingerprint(folder):
    """A sha256 of a base's weights, as hex (15 minutes).

    Use multilora.checkpoints: weight_files(folder), then tensors(path),
    {name: Tensor}. For each tensor in order of name, over all files, hash
    the text f"{name} {dtype} {list(shape)}\\n" and then its bytes, which are
    the file's from .begin to .end. Sharding must not change the result.
    """
    return None
