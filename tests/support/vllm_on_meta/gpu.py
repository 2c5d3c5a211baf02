"""vLLM takes this machine for one with eight GPUs of a kind."""

import os

import torch

GPUS = {  # name: (vLLM's name of it, compute capability, GiB, processors)
    "A100": ("NVIDIA A100-SXM4-80GB", (8, 0), 80, 108),
    "H100": ("NVIDIA H100 80GB HBM3", (9, 0), 80, 132),
    "L4": ("NVIDIA L4", (8, 9), 24, 58),
}


def pretend(name):
    """Make vLLM in this process decide as on that GPU; before its import."""
    os.environ["CUDA_VISIBLE_DEVICES"] = ""  # Triton then needs no driver
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["OMP_NUM_THREADS"] = "1"  # threads do not survive a fork
    os.environ["TORCH_COMPILE_DISABLE"] = "1"
    os.environ["VLLM_USE_DEEP_GEMM"] = "0"
    os.environ.setdefault("VLLM_LOGGING_LEVEL", "ERROR")
    from vllm_on_meta import absent

    absent.modules()
    import vllm.platforms

    vllm.platforms.vllm_version_matches_substr = lambda text: False
    vllm.platforms._current_platform = _platform(*GPUS[name])()
    absent.operators(GPUS[name][1])
    absent.packages()
    _torch_cuda(*GPUS[name])
    _groups()
    _here()


def _platform(name, capability, gib, processors):
    from vllm.platforms.cuda import NonNvmlCudaPlatform
    from vllm.platforms.interface import DeviceCapability

    class Gpu(NonNvmlCudaPlatform):
        @classmethod
        def get_device_capability(cls, device_id=0):
            return DeviceCapability(*capability)

        @classmethod
        def get_device_name(cls, device_id=0):
            return name

        @classmethod
        def get_device_total_memory(cls, device_id=0):
            return gib << 30

        @classmethod
        def device_count(cls):
            return 8

        @classmethod
        def num_compute_units(cls, device_id=0):
            return processors

        @classmethod
        def get_device_communicator_cls(cls):
            return (
                "vllm.distributed.device_communicators."
                "base_device_communicator.DeviceCommunicatorBase"
            )

    return Gpu


def _torch_cuda(name_, capability, gib, processors):
    """Questions to torch about the GPU; streams that carry nothing."""

    class Properties:
        name = name_
        major, minor = capability
        total_memory = gib << 30
        multi_processor_count = processors
        warp_size = 32

    class Nothing:
        def __init__(self, *_, **__):
            pass

    torch.cuda.get_device_properties = lambda device=None: Properties
    torch.cuda.get_device_capability = lambda device=None: capability
    torch.cuda.get_device_name = lambda device=None: name_
    torch.cuda.current_device = lambda: 0
    torch.cuda.device_count = lambda: 8
    torch.cuda.Stream = torch.cuda.Event = Nothing
    torch.cuda.current_stream = lambda device=None: Nothing()


def _groups():
    """Groups of ranks without a network."""
    import torch.distributed
    from torch.testing._internal.distributed import fake_pg  # noqa: F401
    from vllm.distributed.device_communicators.shm_broadcast import (
        MessageQueue,
    )

    new_group = torch.distributed.new_group

    def group(*arguments, **options):
        return new_group(*arguments, **options | {"backend": "fake"})

    torch.distributed.new_group = group
    MessageQueue.create_from_process_group = lambda *_, **__: None


def _here():
    """What vLLM does in a subprocess, or reads from a tensor, is real here.

    It inspects a class in a subprocess, and reads which experts a rank has
    from a table that it makes itself.
    """
    from vllm.model_executor.layers.fused_moe import expert_map_manager
    from vllm.model_executor.models import registry

    def inspect_model_cls(self):
        return registry._ModelInfo.from_model_cls(self.load_model_cls())

    registry._LazyRegisteredModel.inspect_model_cls = inspect_model_cls
    determine = expert_map_manager.determine_expert_map

    def determine_expert_map(*arguments, **options):
        with torch.device("cpu"):
            return determine(*arguments, **options)

    expert_map_manager.determine_expert_map = determine_expert_map
