"""Random layers as torch tensors and, exactly, as numpy arrays."""

DTYPES = ("float32", "bfloat16")
ROWS, IN, OUT, RANK = 23, 192, 96, 8
NUM_BATCHES = 20


def drawn(rng, dtype, *shape):
    """Random numbers as a torch tensor of dtype, and exactly as numpy's."""
    import torch

    tensor = torch.tensor(rng.normal(size=shape)).to(getattr(torch, dtype))
    return tensor, tensor.to(torch.float64).numpy()
