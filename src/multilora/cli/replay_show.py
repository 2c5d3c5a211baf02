"""What `multilora replay` found, for a person or for a script."""

from typing import Any, NamedTuple

import numpy as np
from rich.markup import escape

from multilora.cli.engine_options import Engine
from multilora.cli.show import console, table
from multilora.logs.read import Log
from multilora.serving.cost import NS_PER_MS
from multilora.serving.diagnosis import late_by_cause
from multilora.serving.run import ServingRun
from multilora.serving.worst import (
    CAUSE_WORDS,
    worst_minute,
    worst_tenants,
)
from multilora.units import percent

OVERLOADED_MS = 60_000  # p99; beyond it the queue only grew


class Answer(NamedTuple):
    """A log, the engine that it was played on, and what came of it."""

    file: str
    log: Log
    engine: Engine
    run: ServingRun
    slo_ms: float
    top: int

    def as_json(self) -> dict[str, Any]:
        """Return numbers and names, times in ms of TTFT."""
        log, engine = self.log, self.engine
        p50, p99 = self._percentiles()
        return {
            "format": "multilora replay",
            "version": 1,
            "log": {
                "file": self.file,
                "format": log.format,
                "columns": log.columns._asdict(),
                "num_requests": log.num_requests,
                "num_tenants": len(log.tenants),
                "start": log.start,
                "seconds": log.seconds,
                "skipped": {r: s._asdict() for r, s in log.skipped.items()},
                "notes": list(log.notes + engine.notes),
            },
            "engine": engine.limits._asdict()
            | {"kv_tokens": engine.kv_tokens, "cost": engine.source},
            "slo_ms": self.slo_ms,
            "p50_ms": p50,
            "p99_ms": p99,
            "hit_rate": float(self.run.is_hit.mean()),
            "late": self._late(),
            "tenants": [
                one._asdict() | {"tenant": log.name_of(one.tenant)}
                for one in worst_tenants(self.run, self.slo_ms, self.top)
            ],
            "worst_minute": self._minute(),
        }

    def print(self) -> None:
        """Print tables and sentences for a person."""
        out = console()
        for line in (*self._head(), *self._result()):
            out.print(_plain(line), soft_wrap=True)
        out.print()
        out.print(self._tenants())
        out.print()
        for line in (*self._worst_minute(), *self._foot()):
            out.print(_plain(line), soft_wrap=True)

    def _percentiles(self):
        found = np.percentile(self.run.ttft_ns, [50, 99]) / NS_PER_MS
        return [float(ms) for ms in found]

    def _late(self):
        late = late_by_cause(self.run, self.slo_ms)
        return {cause: int(found.sum()) for cause, found in late.items()}

    def _minute(self):
        minute = worst_minute(self.run, self.slo_ms)
        return minute._asdict() | {
            "tenant": self.log.name_of(minute.tenant),
            "start": self.log.moment(minute.start_s),
        }

    def _head(self):
        log, limits = self.log, self.engine.limits
        start = f" from {log.moment(0)}" if log.start else ""
        columns = ", ".join(name for name in log.columns if name)
        yield (
            f"Log      {self.file}, {log.format}: "
            f"{_counted(log.num_requests, 'request')} of "
            f"{_counted(len(log.tenants), 'tenant')} in "
            f"{_span(log.seconds)}{start}"
        )
        yield f"Columns  {columns}"
        kv = self.engine.kv_tokens
        yield (
            f"Engine   {self.engine.source}; max_loras {limits.max_loras}, "
            f"max_cpu_loras {limits.max_cpu_loras}, "
            f"max_num_seqs {limits.max_num_seqs}, max_num_batched_tokens "
            f"{limits.max_num_batched_tokens}, "
            f"{'endless KV cache' if kv is None else f'{kv:,} KV tokens'}"
        )

    def _result(self):
        p50, p99 = self._percentiles()
        yield (
            f"TTFT     p50 {p50:,.0f} ms, p99 {p99:,.0f} ms; "
            f"{percent(float(self.run.is_hit.mean()))} of the requests "
            "needed no load"
        )
        late = {c: num for c, num in self._late().items() if num}
        num = sum(late.values())
        share = percent(num / self.log.num_requests)
        yield f"Late     {num:,} requests ({share}) above {self.slo_ms:g} ms"
        for cause in sorted(late, key=lambda cause: -late[cause]):
            yield f"         {late[cause]:>9,} {cause}: {CAUSE_WORDS[cause]}"
        if p99 > OVERLOADED_MS:
            yield (
                "         The engine is overloaded: its queue only grew, so "
                "these times say no more than that."
            )

    def _tenants(self):
        found = worst_tenants(self.run, self.slo_ms, self.top)
        rows = (
            (
                _plain(self.log.name_of(one.tenant)), f"{one.num_requests:,}",
                f"{one.p50_ms:,.0f}", f"{one.p99_ms:,.0f}",
                percent(one.hit_rate), f"{one.num_late:,}", one.cause or "",
            )
            for one in found
        )  # fmt: skip
        return table(
            ("tenant", "requests", "p50 ms", "p99 ms", "no load", "late",
             "mostly by"),
            rows,
            "Tenants with the highest p99",
        )  # fmt: skip

    def _worst_minute(self):
        minute = worst_minute(self.run, self.slo_ms)
        share = percent(minute.tenant_share, 0)
        yield (
            f"Worst minute: {self.log.moment(minute.start_s)}, "
            f"{minute.num_requests:,} requests, {minute.num_late:,} late, "
            f"p99 {minute.p99_ms:,.0f} ms, mostly by {minute.cause} "
            f"({CAUSE_WORDS[minute.cause]}). "
            f"{self.log.name_of(minute.tenant)} sent most, {share} of "
            f"{minute.prompt_tokens:,} prompt tokens."
        )

    def _foot(self):
        for reason, skipped in self.log.skipped.items():
            yield (
                f"Skipped: {skipped.num:,} × {reason}, first in line "
                f"{skipped.line:,}."
            )
        for note in (*self.log.notes, *self.engine.notes):
            yield f"Note: {note}"


def _plain(text):
    """Return a text without what a terminal, or rich, would act upon."""
    return escape("".join(c if c.isprintable() else "�" for c in text))


def _counted(num, noun):
    return f"{num:,} {noun}{'s' * (num != 1)}"


def _span(seconds):
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    if hours >= 48:
        return f"{seconds / 86_400:,.1f} days"
    minutes, seconds = divmod(rest, 60)
    return f"{hours} h {minutes} min {seconds} s"
