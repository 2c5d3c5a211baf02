"""A plan as one page that needs no network: question, answer, and why."""

import base64
from datetime import date
from importlib.resources import files

from multilora import __version__
from multilora.cli import report_parts as parts
from multilora.cli.markup import escaped, heading, listed, table
from multilora.cli.report_fleet import fleet
from multilora.deploy.quoting import counted
from multilora.deploy.serve_args import checked_plan

MAX_ROWS = 1000  # tenants in the table


def report_page(plan, today=None):
    """Return the page's HTML; today is the date on it, None for this day's.

    Raises as serve_line does.
    """
    checked_plan(plan)
    day = (today or date.today()).isoformat()
    title = (
        f"{counted(len(plan.engines), 'engine')} for "
        f"{counted(plan.num_tenants, 'tenant')} of {escaped(plan.model, 120)}"
    )
    body = [
        f"<h1>{title}</h1>",
        _verdict(plan),
        heading("Question"),
        parts.question(plan),
        heading("Answer"),
        parts.settings(plan),
        parts.serve_lines(plan),
        heading("Tenants"),
        *_tenants(plan),
        *fleet(plan),
        heading("Memory of one GPU"),
        *_memory(plan),
        heading("Why this answer"),
        parts.neighbours(plan),
        heading("What would change it"),
        parts.assumptions(plan),
        heading("Notes"),
        listed([f"Times of a step: {plan.cost}", *plan.notes]),
        f'<p class="small">Made by multilora {__version__} for vLLM '
        f"{escaped(plan.vllm_version)} on {day}. The numbers are those of a "
        "simulation; a load test (load-test-*.yml) tells how near they are."
        "</p>",
    ]
    return _PAGE.format(
        title=title,
        css=files("multilora").joinpath("cli/report.css").read_text("utf-8"),
        body="\n".join(body),
    )


_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; \
img-src data:; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
{css}</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""


def _verdict(plan):
    word, kind = ("meets", "yes") if plan.is_met else ("misses", "no")
    slo, all_of_it = plan.slo, plan.outcome
    wanted = f"at least {parts.percent(slo.share)}" if slo.share < 1 else "all"
    return (
        f'<div class="verdict {kind}"><strong>This plan {word} the SLO.'
        f"</strong><span>{parts.percent(all_of_it.share)} of the tenants meet "
        f"{parts.slo_text(slo)}; {wanted} must. Over all requests the TTFT is "
        f"{all_of_it.p50_ms:,.0f} ms at the median and "
        f"{all_of_it.p99_ms:,.0f} ms at the 99th percentile."
        "</span></div>"
    )


def _tenants(plan):
    from multilora.figures import answer, style

    figure = style.new_figure(answer.SIZE)
    yield _figure(
        *style.render_svg(answer.draw_tenants, {"plan": plan}, figure)
    )
    engine_by_tenant = [
        (number, one)
        for number, engine in enumerate(plan.engines, 1)
        for one in engine.tenants
    ]
    engine_by_tenant.sort(key=lambda item: -item[1].p99_ms)
    more = len(engine_by_tenant) - MAX_ROWS
    rows = [
        (
            one.name, number, one.rank, f"{one.requests_per_s:.3g}",
            f"{one.p50_ms:,.0f}", f"{one.p99_ms:,.0f}",
            parts.verdict_text(one),
        )
        for number, one in engine_by_tenant[:MAX_ROWS]
    ]  # fmt: skip
    yield table(
        ("tenant", "engine", "rank", "req/s", "p50", "p99", "SLO"),
        rows,
        "TTFT in ms, highest p99 first; the SLO column names what made most "
        "late requests late",
        numbers=range(1, 6),
    )
    if more > 0:
        yield f"<p>{counted(more, 'quicker tenant')}: see plan.json.</p>"


def _memory(plan):
    from multilora.figures import answer, style

    figure = style.new_figure(answer.memory_size(plan))
    yield _figure(
        *style.render_svg(answer.draw_memory, {"plan": plan}, figure)
    )


def _figure(svg, sentence):
    data = base64.b64encode(svg.encode()).decode()
    said = escaped(sentence, None)
    return (
        f'<figure><img src="data:image/svg+xml;base64,{data}" alt="{said}">'
        f"<figcaption>{said}</figcaption></figure>"
    )
