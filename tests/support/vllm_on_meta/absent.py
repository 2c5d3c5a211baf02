"""What vLLM's CPU build lacks, or this Python: found, and empty."""

import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

import torch

COMPILED = (  # modules of vLLM's CUDA build
    "_C_stable_libtorch",
    "_moe_C_stable_libtorch",
    "_flashmla_C",
    "_flashmla_extension_C",
    "_deepselect_C",
    "vllm_flash_attn._vllm_fa2_C",
    "vllm_flash_attn._vllm_fa3_C",
)
PACKAGES = (
    "cuda",
    "timm",
    "torchaudio",
    "torchvision",
    "vllm.third_party.deep_gemm",
    "vllm.third_party.flashmla.flash_mla_interface",
)
NAMESPACES = "_C", "_moe_C", "_vllm_fa", "_flashmla"  # of operators
SCHEMAS = (  # vLLM has a fake form of these: it tells their result's shape
    "awq_marlin_repack(Tensor b_q_weight, SymInt size_k, SymInt size_n, "
    "int num_bits, bool is_a_8bit) -> Tensor",
    "gptq_marlin_repack(Tensor b_q_weight, SymInt size_k, SymInt size_n, "
    "int num_bits, bool is_a_8bit) -> Tensor",
    "machete_prepack_B(Tensor b_q_weight, ScalarType a_type, int b_type, "
    "ScalarType? group_scales_type) -> Tensor",
)
IN_PLACE = (  # they fill a tensor that exists
    "dynamic_per_token_scaled_fp8_quant",
    "dynamic_scaled_fp8_quant",
    "static_scaled_fp8_quant",
)
_kept = []  # torch forgets a library's operators when nobody holds it


def modules():
    """vLLM's compiled modules are found, and have nothing in them."""
    import vllm

    for name in COMPILED:
        module = ModuleType(f"vllm.{name}")
        sys.modules[module.__name__] = module
        if "." not in name:
            setattr(vllm, name, module)


def operators(capability):
    """vLLM's compiled operators exist, and fail when they are called."""
    from torch._ops import _OpNamespace
    from vllm.platforms.cpu import CpuPlatform

    CpuPlatform.import_kernels()
    _kept.append(library := torch.library.Library("_C", "FRAGMENT"))
    for schema in SCHEMAS:
        library.define(schema)
    _answers(10 * capability[0] + capability[1])
    for name in IN_PLACE:
        setattr(torch.ops._C, name, _callable(lambda *_: None))
    known = _OpNamespace.__getattr__

    def operator(self, name):
        try:
            return known(self, name)
        except AttributeError:
            if name.startswith("__") or not self.name.startswith(NAMESPACES):
                raise
            return _callable(_fails(f"{self.name}.{name}"))

    _OpNamespace.__getattr__ = operator


def _answers(capability):
    """Say what compiled code would say that it supports on the GPU."""
    import vllm._custom_ops as ops
    from vllm.vllm_flash_attn import flash_attn_interface

    ops.cutlass_scaled_mm_supports_fp8 = lambda _: capability >= 89
    ops.cutlass_scaled_mm_supports_block_fp8 = lambda _: capability >= 90
    ops.cutlass_scaled_mm_supports_fp4 = lambda _: capability >= 100
    ops.cutlass_group_gemm_supported = lambda _: 90 <= capability < 110
    flash_attn_interface.FA4_AVAILABLE = True


def _fails(name):
    def absent(*_, **__):
        raise NotImplementedError(f"{name} needs a GPU")

    return absent


def _callable(function):
    function.default = function.out = function
    return function


def packages():
    """Packages are found that a model's file imports for its processor."""
    import transformers.utils

    for name in ("torchvision", "timm", "torchaudio"):
        # What it finds it remembers: for transformers they stay absent.
        getattr(transformers.utils, f"is_{name}_available")()
    sys.meta_path.append(_Absent)


class _Absent(MetaPathFinder, Loader):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if any(f"{name}.".startswith(f"{package}.") for package in PACKAGES):
            return ModuleSpec(name, cls, is_package=True)
        return None

    @staticmethod
    def create_module(spec):
        return _Module(spec.name)

    @staticmethod
    def exec_module(module):
        module.__version__, module.__file__ = "99.0", "absent"


class _Module(ModuleType):
    def __getattr__(self, name):
        return _anything(name)


class _Kind(type):
    """A class that has any attribute and takes any arguments."""

    def __getattr__(cls, name):
        return _anything(name)

    def __call__(cls, *_, **__):
        return super().__call__()


def _anything(name):
    if name.startswith("__"):
        raise AttributeError(name)
    return _Kind(name, (), {})
