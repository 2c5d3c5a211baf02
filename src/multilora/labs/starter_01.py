"""Lab 01, your part: the batched LoRA matmul. About 45 minutes.

Replace each `return None`. Then, from the folder of the README:
make grade LAB=01
"""


def lora_delta(x, A, B, scaling):
    """What one adapter adds to its rows (10 minutes).

    x (rows, in), A (r, in), B (out, r) -> (rows, out). Shrink with A, then
    expand with B: two thin matmuls. Do not form B @ A.
    """
    return None


def apply_single(x, W, A, B, scaling):
    """The base layer plus one adapter (5 minutes).

    W (out, in) is stored as in PyTorch: the base is x @ W.T.
    """
    return None


def apply_batched(x, W, adapters, adapter_ids, scalings):
    """Each row with its own adapter, one base matmul (30 minutes).

    Row i uses adapters[adapter_ids[i]], an (A, B) pair or None, and
    scalings[adapter_ids[i]]. Id -1, or an entry None, is base only.
    Group the rows by adapter, so that each adapter is read once. Beware of
    what Python does with an index of -1.
    """
    return None
