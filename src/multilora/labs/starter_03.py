"""Lab 03, your part: five numbers on a napkin. About 20 minutes.

Replace each `return None`. Then, from the folder of the README:
make grade LAB=03
"""


def lora_params_per_layer(in_features, out_features, rank):
    """Weights of A (rank, in) and B (out, rank) together (2 minutes)."""
    return None


def adapter_bytes(hidden, layers, rank, targets=4, bytes_per_param=2):
    """Bytes of an adapter on `targets` square matrices a layer (4 minutes)."""
    return None


def adapters_per_gib(hidden, layers, rank, targets=4, bytes_per_param=2):
    """How many of them fit 2**30 bytes, as a float (2 minutes)."""
    return None


def shrink_ratio(base_params, hidden, layers, rank, targets=4):
    """Base parameters over adapter parameters, as a float (4 minutes)."""
    return None


def gpus_saved(tenants, max_loras):
    """GPUs saved when max_loras tenants share one engine (8 minutes).

    Against one GPU for each tenant; a part-filled engine is an engine.
    """
    return None
