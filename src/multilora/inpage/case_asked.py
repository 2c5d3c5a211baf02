"""What a reader asks beside their files: base, card, promise, defaults."""

import shlex
from typing import NamedTuple

from multilora.arguments import finite_number, integer, text
from multilora.inpage.case_files import CaseFiles
from multilora.logs.columns import Columns
from multilora.matmul.lora import MAX_RANK
from multilora.memory.cards import card_gib
from multilora.plan.answer import Slo
from multilora.plan.by_name import DEFAULT_RANK

NO_NAME = "MODEL"  # of a base whose config.json says none


class CaseAsked(NamedTuple):
    """The options of own_case, as `multilora plan` has them."""

    model: str = ""
    card: str = "80"
    tensor_parallel_size: int = 1
    ttft_p99_ms: float = 1000
    rank: int = DEFAULT_RANK
    prompt_default: int | None = None
    output_default: int | None = None
    columns: Columns = Columns()
    example: bool = False

    @property
    def card_gib(self) -> float:
        """Raises ValueError for a card that is none."""
        return card_gib(self.card)[0]

    @property
    def slo(self) -> Slo:
        return Slo(ttft_p99_ms=self.ttft_p99_ms)


def check_asked(asked: CaseAsked) -> CaseAsked:
    """Return CaseAsked as it is, or raise an error that names an option.

    Whether the model and the card are known is for the parts that need them.
    """
    text("model", asked.model)
    text("card", asked.card)
    integer("tensor_parallel_size", asked.tensor_parallel_size, 1, 1024)
    finite_number("ttft_p99_ms", asked.ttft_p99_ms, above=0, maximum=1e9)
    integer("rank", asked.rank, 1, MAX_RANK)
    return asked


def desk_command(asked: CaseAsked, files: CaseFiles) -> str:
    """Return the `multilora plan` line that asks the same in a shell.

    The files go by the names that the reader's own have.
    """
    words = ["multilora", "plan"]
    if files.log is not None:
        words.append(files.log.name)
    elif asked.example:
        words.append("--example")
    words += ["--model", asked.model or NO_NAME, "--card", asked.card]
    if files.config is not None:
        words += ["--config-json", "config.json"]
    if files.adapters:
        words += ["--adapters", "adapters"]
    usual = CaseAsked()
    for option, value, default in (
        ("--ranks", asked.rank, usual.rank),
        ("--tensor-parallel-size", asked.tensor_parallel_size, 1),
        ("--prompt-tokens", asked.prompt_default, None),
        ("--output-tokens", asked.output_default, None),
        ("--time-column", asked.columns.time, None),
        ("--tenant-column", asked.columns.tenant, None),
        ("--prompt-column", asked.columns.prompt, None),
        ("--output-column", asked.columns.output, None),
    ):
        if value != default:
            words += [option, str(value)]
    return shlex.join([*words, "--ttft-p99", f"{asked.ttft_p99_ms:g}"])
