"""Lab 02, your part: dedicated against consolidated. About 45 minutes.

None of it needs vLLM. Replace each `return None`. Then, from the folder of
the README: make grade LAB=02
"""

from multilora.adapters.replies import EvalDiff  # noqa: F401, eval_diff returns it


def merge_weights(W, A, B, scaling):
    """One tenant's own copy of a layer (5 minutes).

    W (out, in), A (r, in), B (out, r) -> (out, in): W + scaling × B @ A, so
    that x @ result.T is the base layer plus the adapter. W itself must stay
    as it is: it is everybody's base.
    """
    return None


def eval_diff(dedicated, consolidated):
    """Two runs of the same prompts, compared token by token (25 minutes).

    Each is a list, equally long, of replies with .token_ids and .logprobs,
    one for each token. Return EvalDiff(num_prompts, num_equal,
    first_differences, max_logprob_difference):
    num_equal counts the prompts whose token ids are the same;
    first_differences is {prompt's number: position of the first other
    token}, counted from 0; where a reply only stops earlier, that is the
    position of the first token it lacks;
    max_logprob_difference is the largest absolute difference of logprobs
    before that position, over all prompts, 0.0 if there is none.
    """
    return None


def base_fingerprint(folder):
    """A sha256 of a base's weights, as hex (15 minutes).

    Use multilora.adapters.checkpoints: weight_files(folder), then
    tensors(path), {name: Tensor}. For each tensor in order of name, over all
    files, hash the text f"{name} {dtype} {list(shape)}" and a newline, then
    its bytes, which come from tensor.chunks(). Sharding must not change the
    result.
    """
    return None
