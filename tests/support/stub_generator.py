#!/usr/bin/env python3
"""Stands for a Python with vLLM: answers as its load generator would.

Called as `python -c PROGRAM ARGUMENTS.json`. STUB says what it does: "" a
result of 50 ms a first token, or one of the faults below.
"""

import json
import os
import sys
import time
from pathlib import Path


def option(arguments, name):
    return arguments[arguments.index(name) + 1]


def main():
    arguments = json.loads(Path(sys.argv[3]).read_text("utf-8"))
    fault = os.environ.get("STUB", "")
    if log := os.environ.get("STUB_LOG"):
        told = {"arguments": arguments, "pid": os.getpid(),
                "key": os.environ.get("OPENAI_API_KEY")}  # fmt: skip
        Path(log).write_text(json.dumps(told), "utf-8")
    if fault == "hangs":
        print("Starting main benchmark run...", flush=True)
        time.sleep(600)
    if fault == "dies":
        sys.exit("OSError: no tokenizer of that name")
    if fault == "old":
        sys.exit("error: unrecognized arguments: --lora-assignment")
    trace = Path(option(arguments, "--dataset-path")).read_text("utf-8")
    rows = [json.loads(line) for line in trace.splitlines()]
    num = len(rows)
    failed = {"one fails": {0}, "all fail": set(range(num))}.get(fault, ())
    slow = 3.0 if fault == "slow" else 0.05
    lengths = [row["output_length"] for row in rows]
    result = {
        "duration": rows[-1]["timestamp"] + 1,
        "ttfts": [0.0 if k in failed else slow for k in range(num)],
        "latencies": [slow + 0.01 * (n - 1) for n in lengths],
        "output_lens": [
            0 if k in failed else n for k, n in enumerate(lengths)
        ],
        "errors": [
            "Traceback\nConnectionError: refused\n" if k in failed else ""
            for k in range(num)
        ],
    }
    if fault == "short":
        result["ttfts"] = result["ttfts"][:-1]
    if fault == "another form":
        result = {"ttfts": "many"}
    text = json.dumps(result)
    path = Path(option(arguments, "--result-dir"), "result.json")
    path.write_text(text[: len(text) // 2] if fault == "cut" else text)


if __name__ == "__main__":
    main()
