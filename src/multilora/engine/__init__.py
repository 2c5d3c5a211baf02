"""Real vLLM, in this process, with what the labs read made readable.

start        an engine with LoRA on whatever the machine has
running      that engine: adapters by name, generation step by step
server       vLLM's OpenAI server; launch its command, inside what it does
             in the server's processes, journal what these tell
replicas     several servers with the same tenants; router vllm-router
             in front of them
ray_serve    Ray Serve in front of replicas with vLLM: ray_app is what runs
             there, ray_setup starts Ray, ray_local one that ends with us
program      starts, awaits and stops it; loopback asks it, processes and
             supervisor end it, whatever happens to us
recorder     what an engine loads and whom it schedules; views as records
guard        the slot that the CPU build needs empty
memory       bytes counted in the engine's own tensors
bare         vLLM's LoRA classes without an engine; bare_scheduler its
             scheduler without a model; residents_first one change to them
trial        what vLLM does with a bad adapter
capture      measures a GPU, on the shapes that dummies writes
install      finds the build for this machine; quiet starts it without noise
"""

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
