"""Real vLLM, in this process, with what the labs read made readable."""

from multilora.engine.quiet import (
    EngineUnavailableError,
    has_cuda,
    is_available,
    vllm_version,
)
from multilora.engine.start import start

__all__ = [
    "EngineUnavailableError",
    "has_cuda",
    "is_available",
    "start",
    "vllm_version",
]
