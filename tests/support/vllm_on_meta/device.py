"""Tensors that ask for the GPU are on the meta device."""

import torch
from torch.overrides import TorchFunctionMode

LISTS = torch.Tensor.cpu, torch.Tensor.tolist
VALUES = (  # they read a tensor's numbers, as do the two above
    torch.Tensor.__bool__,
    torch.Tensor.__float__,
    torch.Tensor.__int__,
    torch.Tensor.item,
    torch.Tensor.unique,
    torch.allclose,
    torch.equal,
    torch.unique,
)


class OnMeta(TorchFunctionMode):
    """Within it a GPU, by name or number, is the meta device.

    A question for a tensor's numbers is answered as if each were one.
    """

    def __enter__(self):
        """Have torch take any number of a meta tensor for not zero."""
        config = torch.fx.experimental._config
        config.meta_nonzero_assume_all_nonzero = True
        return super().__enter__()

    def __torch_function__(self, function, types, arguments=(), options=None):
        """Run a function of torch's with its arguments changed so."""
        options = dict(options or {})
        if _is_gpu(options.get("device")):
            options["device"] = "meta"
        if function in VALUES:
            arguments = map(_one, arguments)
        elif function in LISTS:
            arguments = [
                _one(value).expand(value.shape) for value in arguments
            ]
        return function(*map(_on_meta, arguments), **options)


def _one(value):
    """Return a meta tensor's number: of any size, it takes no memory."""
    is_meta = isinstance(value, torch.Tensor) and value.is_meta
    return (
        torch.ones((), dtype=value.dtype, device="cpu") if is_meta else value
    )


def _is_gpu(value):
    if isinstance(value, torch.device):
        return value.type == "cuda"
    if isinstance(value, str):
        return value.startswith("cuda")
    return isinstance(value, int) and not isinstance(value, bool)


def _on_meta(value):
    is_device = isinstance(value, torch.device | str)
    return torch.device("meta") if is_device and _is_gpu(value) else value
