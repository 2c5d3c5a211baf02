"""The pitches: a file's size, a share on disk, four times, five customers."""

from multilora.evidence.audits import file_mb, share_percent
from multilora.exercises.answers import Number
from multilora.memory.economics import adapter_bytes
from multilora.quiz.question import Choice, Quantity, right, wrong
from multilora.units import MIB

MODEL, RANK = "Mistral-7B", 32


def size_mb(dtype: str = "F32", modules: str = "q, k, v, o") -> float:
    """Return the size of the file in question, in MB of 10⁶ bytes."""
    return file_mb(MODEL, RANK, modules, dtype)


def _slips():
    square = adapter_bytes(4096, 32, RANK, bytes_per_param=4) / 1e6
    return {
        "That is in 16 bits. PEFT saves 32; see [section "
        "2](#2-thirty-adapters-for-three-per-cent).": size_mb("F16"),
        "That takes k and v for as wide as q. This model groups its queries; "
        "see [section 5](#5-a-hundred-and-sixty-eight-megabytes).": square,
        "That is on all linear layers; see [section "
        "11](#11-your-turn).": size_mb(modules="all linear"),
        "That is in MiB. The question asks for MB, 10⁶ bytes, as claims do.":
            size_mb() * 1e6 / MIB,
    }  # fmt: skip


def _share(dtype):
    size = file_mb("Llama-3.1-8B", 16, "all linear", dtype)
    return f"{share_percent('Llama-3.1-8B', size * 1e6):.2f} %"


QUESTIONS = [
    Quantity(
        f"PEFT saves an adapter of rank {RANK} on q, k, v and o of {MODEL}, "
        "in fp32 as it does by default. The model is 4,096 wide with 32 "
        "layers; k and v are 1,024 wide. How many MB has the file?",
        "MB",
        Number(size_mb,
               "A claim that names model, rank, modules and dtype can be "
               "checked in one line.", _slips, within=1e-2),
    ),
    Choice(
        "A guide says that an adapter is less than 1 % of the base. Your file "
        f"of rank 16 on all linear layers has {_share('F32')} of the size of "
        "Llama-3.1-8B in 16 bits. Is the guide wrong?",
        (
            wrong("Yes: the file is what counts.",
                  "The file is in fp32 and the base in 16 bits. Counted in "
                  "one precision the claim holds; see [section "
                  "4](#4-less-than-one-per-cent)."),
            wrong("Yes, since 1 % never holds for all linear layers.",
                  "In one precision it holds up to rank 16 on this model; "
                  "see [section 4](#4-less-than-one-per-cent)."),
            right("No: in 16 bits it is half of that.",
                  f"Served, the adapter is {_share('F16')} of the base. Ask "
                  "for the dtype of both before you compare them."),
        ),
    ),
    Choice(
        "\"Up to 4 times the throughput of one merged copy a tenant.\" Where "
        "does the 4 come from?",
        (
            wrong("From quicker matmuls of the adapters",
                  "Merged copies have no adapters in their matmuls, so they "
                  "compute less; see [section "
                  "8](#8-four-times-the-throughput)."),
            wrong("From larger batches, at any number of tenants",
                  "With two copies the merged ones were quicker, and with "
                  "four both were level; see [section "
                  "8](#8-four-times-the-throughput)."),
            right("From memory: five copies just fit and leave little KV.",
                  "It is the one count where copies fill the card. The "
                  "lasting gain is the sixth tenant, for whom no copy fits."),
            wrong("From serving thousands of adapters at once",
                  "That is the stronger result of the same files, and no "
                  "part of the 4; see [section "
                  "8](#8-four-times-the-throughput)."),
        ),
    ),
    Choice(
        "Five customers each use 10 % of a GPU on average. What must you ask "
        "before you promise them one GPU?",
        (
            right("How high their busy hours are, and whether they coincide",
                  "10 % is a mean, and a fleet is sized at its peak. The "
                  "same mean can need several GPUs."),
            wrong("Which rank their adapters have",
                  "Rank decides memory, and five adapters are small. The "
                  "claim breaks on load; see [section "
                  "9](#9-five-customers-on-one-gpu)."),
            wrong("Whether LoRA's own cost is below 50 %",
                  "An even load fits even then. Its cost breaks the claim "
                  "only where the peak is near one GPU; see [section "
                  "9](#9-five-customers-on-one-gpu)."),
        ),
    ),
]  # fmt: skip
