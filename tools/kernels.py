"""Does a page depend on the last bits of a float? Compare under other kernels.

    python tools/kernels.py            # every kernel that this CPU can run
    python tools/kernels.py --short    # the first two of them, for CI

Each run draws every frame of every explorer and re-runs every notebook that
needs no vLLM, in a process of its own with another BLAS kernel (OpenBLAS
reads OPENBLAS_CORETYPE), one or two BLAS threads, another hash seed, and
numpy's own vector code on or off (NPY_DISABLE_CPU_FEATURES). A picture, a
sentence or a printed digit that differs from the stored one is named, and the
exit status is 1.
"""

import hashlib
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# The kernel asked for, BLAS threads, hash seed, whether numpy uses vectors.
EVERY = [
    ("Nehalem", 1, 1, False),
    ("SkylakeX", 2, 2, True),
    ("Haswell", 1, 3, True),
    ("Zen", 2, 4, True),
    ("Cooperlake", 1, 5, True),
    ("Sandybridge", 2, 6, False),
]
NEEDS = {"Haswell": "avx2", "Zen": "avx2", "Sandybridge": "avx",
         "SkylakeX": "avx512f", "Cooperlake": "avx512_bf16"}  # fmt: skip


def environment(kernel, num_threads, seed, is_vectorised):
    """Return this process's environment with another way to compute."""
    ours = os.environ | {
        "OPENBLAS_CORETYPE": kernel,
        "OPENBLAS_NUM_THREADS": str(num_threads),
        "PYTHONHASHSEED": str(seed),
        "PYTEST_ADDOPTS": "",  # CI's report is of its own runs
    }
    if not is_vectorised:
        ours["NPY_DISABLE_CPU_FEATURES"] = " ".join(_optional_features())
    return ours


def can_run(kernel):
    """Return whether this CPU has what the kernel needs (Linux; else yes)."""
    try:
        flags = Path("/proc/cpuinfo").read_text("utf-8").split()
    except OSError:
        return True
    return NEEDS.get(kernel, "") in ["", *flags]


def print_frames():
    """Print a JSON list of [explorer, stops, hash, sentence], one a frame."""
    from multilora.book.explorers import stored_explorers
    from multilora.explore.player import frames

    found = []
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        for explorer, _ in stored_explorers(path):
            for stops, svg, sentence in frames(explorer):
                picture = hashlib.sha256(svg.encode()).hexdigest()
                found.append([explorer.address, str(stops), picture, sentence])
    print(json.dumps(found))


def drawn_under(variant):
    """Return what print_frames prints under a variant."""
    done = subprocess.run(
        [sys.executable, __file__, "--frames"], cwd=ROOT, text=True,
        env=environment(*variant), stdout=subprocess.PIPE, check=True,
    )  # fmt: skip
    return json.loads(done.stdout)


def run_notebooks(variant):
    """Return whether each stored output is printed again under a variant."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--nbval", "-q", "--no-header",
         "-n", "2", "--dist", "loadfile", "-p", "no:cacheprovider",
         "notebooks"],
        cwd=ROOT, env=environment(*variant),
    )  # fmt: skip
    return done.returncode == 0


def main(most):
    """Compare the first runs that this CPU can make; return 1 or 0."""
    variants = []
    for variant in EVERY:
        if can_run(variant[0]):
            variants.append(variant)
        else:
            print(f"{variant[0]}: skipped, no {NEEDS[variant[0]]} here")
    variants = variants[:most]
    with ThreadPoolExecutor(2) as pool:  # drawing keeps one core busy
        drawn = list(pool.map(drawn_under, variants))
    is_same = True
    for variant, found in zip(variants, drawn, strict=True):
        print("== {}, {} threads, hash seed {}, vectors {}".format(*variant))
        is_same &= are_same(drawn[0], found)
        is_same &= run_notebooks(variant)
    print("no digit differs" if is_same else "a digit hangs on the CPU")
    return 0 if is_same else 1


def are_same(first, drawn):
    """Print each frame that differs; return whether there is none."""
    differ = [
        ours[:2] for ours, theirs in zip(first, drawn, strict=True)
        if ours != theirs
    ]  # fmt: skip
    for explorer, stops in differ:
        print(f"differs: {explorer} at {stops}")
    print(f"{len(drawn)} frames drawn, {len(differ)} differ", flush=True)
    return not differ


def _optional_features():
    """The vector instructions that numpy would use here and may leave out."""
    from numpy._core import _multiarray_umath as numpys

    return filter(numpys.__cpu_features__.get, numpys.__cpu_dispatch__)


if __name__ == "__main__":
    if sys.argv[1:] == ["--frames"]:
        print_frames()
    else:
        sys.exit(main(2 if sys.argv[1:] == ["--short"] else len(EVERY)))
