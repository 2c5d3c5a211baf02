"""A reader's own case, answered part by part: base, adapters, log, plan."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from multilora.adapters.preflight import needed_rank
from multilora.inpage import case_base, case_check, case_log, case_plan
from multilora.inpage.blocks import Block, progress, told
from multilora.inpage.case_asked import CaseAsked, check_asked, desk_command
from multilora.inpage.case_files import CaseFiles, files_in
from multilora.logs.columns import Columns
from multilora.logs.read import Log
from multilora.models.shapes import ModelShape

FOLDER = "/case"  # where the page mounts the files
T = TypeVar("T")


def own_case(
    folder: str | Path = FOLDER,
    model: str = "",
    card: str = "80",
    tensor_parallel_size: int = 1,
    ttft_p99_ms: float = 1000,
    rank: int = 16,
    prompt_default: int | None = None,
    output_default: int | None = None,
    time_column: str | None = None,
    tenant_column: str | None = None,
    prompt_column: str | None = None,
    output_column: str | None = None,
    example: bool = False,
) -> dict[str, Any]:
    """Answer a case as far as its files go; return {"blocks", "command"}.

    folder holds config/config.json, adapters/NAME/ and log/FILE, none of
    which need be there; model is a name that comes along. The other options
    are those of `multilora plan`; with example the log is the one that comes
    along, if there is no other. Each Block is told as soon as it is there,
    and a part that fails is a sentence in its block. command asks the same
    in a shell. Raises TypeError and ValueError for wrong options.
    """
    asked = check_asked(
        CaseAsked(
            model.strip() if isinstance(model, str) else model,
            card, tensor_parallel_size, ttft_p99_ms, rank,
            prompt_default, output_default,
            Columns(time_column, tenant_column, prompt_column, output_column),
            example,
        )
    )  # fmt: skip
    files = files_in(folder)
    return _Answer(files, asked).whole()


class _Answer:
    """The parts of one answer; a part that fails leaves None behind."""

    def __init__(self, files: CaseFiles, asked: CaseAsked) -> None:
        self.files, self.asked = files, asked
        self.blocks: list[Block] = []
        self.command = desk_command(asked, files)

    def whole(self) -> dict[str, Any]:
        files, asked = self.files, self.asked
        progress("reading the base", 0.0)
        shape = self._base()
        adapters = case_check.ranked(files)
        rank = adapters.max_lora_rank
        if shape is not None:
            self._add(
                case_base.MEMORY,
                lambda: case_base.memory_block(
                    shape,
                    asked,
                    rank or needed_rank([asked.rank]),
                    len(adapters.found),
                ),
            )
        if files.adapters:
            self._add(
                case_check.TITLE,
                lambda: case_check.check_block(files, shape, rank),
            )
        log = self._log(adapters)
        self._plan(shape, adapters, log)
        progress("done", 1.0)
        return {
            "blocks": [block.as_json() for block in self.blocks],
            "command": self.command,
        }

    def _add(self, title: str, make: Callable[[], Block]) -> None:
        self.blocks.append(told(title, make))

    def _got(
        self, title: str, make: Callable[[], T], show: Callable[[T], Block]
    ) -> T | None:
        """What make gives, shown; None and a sentence where it fails."""
        kept: list[T] = []

        def block() -> Block:
            kept.append(make())
            return show(kept[0])

        self._add(title, block)
        return kept[0] if kept else None

    def _base(self) -> ModelShape | None:
        files, asked = self.files, self.asked
        if files.config is None and not asked.model:
            return None
        return self._got(
            case_base.SHAPE,
            lambda: case_base.shape_of(files, asked),
            lambda shape: case_base.shape_block(shape, asked),
        )

    def _log(self, adapters: case_check.Ranked) -> Log | None:
        files, asked = self.files, self.asked
        if files.log is None and not asked.example:
            return None
        progress("reading the log", 0.0)
        log = self._got(
            case_log.TRAFFIC,
            lambda: case_log.log_of(files, asked),
            lambda log: case_log.traffic_block(log, adapters.found),
        )
        if log is not None:
            self._add(case_log.CURVE, lambda: case_log.curve_block(log))
        return log

    def _plan(self, shape, adapters, log) -> None:
        missing = [
            what for what, has in (
                ("a base (a config.json, or a model that comes along)", shape),
                ("a log of requests", log),
            ) if has is None
        ]  # fmt: skip
        if missing:
            said = f"For a plan there must also be {' and '.join(missing)}."
            self._add(case_plan.TITLE, lambda: Block(case_plan.TITLE, [said]))
            return
        progress("planning")
        self._add(
            case_plan.TITLE,
            lambda: case_plan.plan_block(
                log, shape, self.asked, adapters.found, self.command
            ),
        )
