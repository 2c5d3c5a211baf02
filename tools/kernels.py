"""Does a page depend on the last bits of a float? Compare under other kernels.

    python tools/kernels.py            # every kernel that this CPU can run
    python tools/kernels.py --short    # for CI: the first of them

Each run draws every frame of every explorer and re-runs every notebook that
needs no vLLM, in a process of its own with another BLAS kernel (OpenBLAS
reads OPENBLAS_CORETYPE), one or two BLAS threads, another hash seed, and
numpy's own vector code on or off (NPY_DISABLE_CPU_FEATURES). The frames are
compared with those of the built book, which are drawn first if they are not
there: that is this CPU's own kernel, under which `make test` runs the
notebooks. A picture, a sentence or a printed digit that differs is named, and
the exit status is 1.
"""

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


def stored_explorers_of_all():
    """Yield each explorer that a notebook stores."""
    from multilora.book.explorers import stored_explorers

    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        for explorer, _ in stored_explorers(path):
            yield explorer


def print_frames(part):
    """Print a JSON list: explorer, stops, picture, sentence of each frame.

    Of the explorers with an even number, or with an odd one: part 0 or 1.
    """
    from multilora.book.frames import name_of
    from multilora.explore.player import frames

    print(json.dumps([
        [explorer.address, str(stops), name_of(svg.encode()), sentence]
        for explorer in list(stored_explorers_of_all())[part::2]
        for stops, svg, sentence in frames(explorer)
    ]))  # fmt: skip


def frames_of_the_book():
    """Return the same list of the frames that the book's build has drawn."""
    from multilora.book.frames import FrameStore

    store = FrameStore(ROOT / "_build/frames")
    every = list(stored_explorers_of_all())
    return [
        [explorer.address, str(stops), *frame]
        for explorer in every[::2] + every[1::2]
        for stops, frame in zip(
            explorer.combinations(), store.frames_of(explorer), strict=True
        )
    ]


def drawn_under(variant):
    """Return what print_frames prints under a variant, drawn on two cores."""
    command = [sys.executable, __file__, "--frames"]
    begun = [
        subprocess.Popen(
            [*command, part], cwd=ROOT, text=True,
            env=environment(*variant), stdout=subprocess.PIPE,
        )
        for part in ("0", "1")
    ]  # fmt: skip
    with ThreadPoolExecutor(2) as pool:  # a full pipe would hold one up
        texts = list(pool.map(lambda one: one.communicate()[0], begun))
    assert not any(one.returncode for one in begun), (
        "drawing ended in an error"
    )
    return [frame for text in texts for frame in json.loads(text)]


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
    of_the_book = frames_of_the_book()
    is_same = True
    for variant in variants:
        print("== {}, {} threads, hash seed {}, vectors {}".format(*variant))
        is_same &= are_same(of_the_book, drawn_under(variant))
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
    if sys.argv[1:2] == ["--frames"]:
        print_frames(int(sys.argv[2]))
    else:
        sys.exit(main(1 if sys.argv[1:] == ["--short"] else len(EVERY)))
