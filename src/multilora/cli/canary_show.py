"""What a canary found, as tables for a person or as JSON for a script."""

from rich.console import Console

from multilora.canary.wrong import CHECKS
from multilora.cli.show import console, plain, table
from multilora.models.wrong_answers import wrong_answers

SHARES = {
    "alone": "each model, alone again",
    "among": "each model, in a batch of its own",
}


def as_json(found) -> dict:
    """Return a Canary as plain data, with what its release is known for."""
    data = found._asdict()
    data["findings"] = [
        {**one._asdict(), "sentence": one.sentence} for one in found.findings
    ]
    data["is_healthy"] = found.is_healthy
    data["known_wrong_answers"] = [
        {"id": row.id, "what": row.what, "sources": list(row.sources)}
        for row in _known(found)
    ]
    return data


def print_canary(found) -> None:
    """Print a Canary: the verdict, findings, each check, and what is known."""
    out = console()
    _say(
        out, f"vLLM {found.vllm_version} at {found.url}, its base {found.base}"
    )
    asked = ", ".join(
        (*found.adapters, *(f"{n} (loaded)" for n in found.loaded))
    )
    _say(out, f"adapters: {asked}")
    _say(out, f"{found.num_requests} requests in {found.seconds:.0f} s")
    out.print()
    _say(out, _verdict(found))
    for one in found.findings:
        out.print()
        _say(out, ("Hint: " if one.is_hint else "Found: ") + one.sentence)
        if one.check not in ("applied", "twins"):
            _say(out, f"  prompt  {_line(one.prompt)}")
            _say(out, f"  alone   {one.expected}")
            _say(out, f"  then    {one.got}")
    out.print()
    out.print(_checks(found))
    if found.has_logprobs and not found.no_verdict:
        _say(
            out,
            f"Float noise: logprobs moved by {found.noise:.2g} where a model "
            "was in a batch with itself.",
        )
    for note in found.notes:
        _say(out, f"Note: {note}.")
    known = _known(found)
    if known:
        out.print()
        _say(
            out,
            f"Known of vLLM {found.vllm_version}, here or where it is used "
            "in another way:",
        )
    for row in known:
        where = f" ({row.sources[0]})" if row.sources else ""
        _say(out, f"- {row.what}{where}")


def _verdict(found):
    if found.no_verdict:
        why = "; ".join(found.no_verdict)
        return (
            "No verdict. A change in company shows nothing on this server: "
            f"{why}. How far answers agree is below."
        )
    num = sum(not one.is_hint for one in found.findings)
    if num:
        return f"{num} {'finding' if num == 1 else 'findings'}."
    hints = len(found.findings)
    also = f", {hints} {'hint' if hints == 1 else 'hints'}" if hints else ""
    return (
        f"Nothing found{also}. There may be faults that these prompts do not "
        "show."
    )


def _checks(found):
    agreeing = found.agreeing
    rows = [(words, "", f"{agreeing[key]:.0%}", "", "")
            for key, words in SHARES.items()]  # fmt: skip
    for check, words in CHECKS.items():
        if check in found.num_asked:
            num_found = sum(one.check == check for one in found.findings)
            rows.append((
                words, found.num_asked[check], f"{agreeing[check]:.0%}",
                "-" if found.no_verdict else found.num_unclear[check],
                "-" if found.no_verdict else num_found,
            ))  # fmt: skip
    for check in ("applied", "twins"):
        num_found = sum(one.check == check for one in found.findings)
        rows.append((CHECKS[check], "", "", "", num_found))
    columns = ("compared", "answers", "tokens agree", "unclear", "found")
    return table(columns, rows)


def _known(found):
    try:
        return wrong_answers(found.vllm_version)
    except ValueError:  # a build of one's own, with a name of its own
        return ()


def _line(prompt):
    return prompt if len(prompt) <= 60 else prompt[:60] + "…"


def _say(out: Console, line: str) -> None:
    out.print(plain(line, is_markup=False), markup=False, soft_wrap=True)
