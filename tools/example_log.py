"""Write the log that is shipped as an example, always the same bytes.

    python tools/example_log.py [FILE]

An hour in which 40 of 80 clients send three requests a second in all, as
steep and bursty as a public day of a language model's clients
(traffic.clients.SERVEGEN). Names are made up, and so are the means of the
token counts. One engine of Llama-3.1-8B serves it; with few slots it is late.
Writes src/multilora/data/example_log.csv.gz unless told another file.
"""

import gzip
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from multilora.traffic.clients import client_windows
from multilora.traffic.lengths import lognormal_tokens
from multilora.traffic.windows import window_arrivals

FILE = Path(__file__).parents[1] / "src/multilora/data/example_log.csv.gz"
SEED = 1  # of 40 clients who send something
NUM_CLIENTS, NUM_WINDOWS, RATE = 80, 6, 3.0
PROMPT = {"mean": 600, "sigma": 1.0, "maximum": 8_000}
OUTPUT = {"mean": 200, "sigma": 0.8, "maximum": 2_000}
START = datetime(2026, 3, 2, 9, tzinfo=UTC)


def lines():
    windows = client_windows(NUM_CLIENTS, NUM_WINDOWS, RATE, seed=SEED)
    times, ids = window_arrivals(windows, seed=SEED)
    names = np.unique(ids, return_inverse=True)[1] + 1
    prompts = lognormal_tokens(len(times), **PROMPT, seed=SEED)
    outputs = lognormal_tokens(len(times), **OUTPUT, seed=SEED + 1)
    yield "time,model,prompt_tokens,completion_tokens\n"
    for time, name, prompt, output in zip(
        times, names, prompts, outputs, strict=True
    ):
        moment = START + timedelta(milliseconds=round(float(time) * 1000))
        text = moment.isoformat(timespec="milliseconds")
        text = text.replace("+00:00", "Z")
        yield f"{text},tenant-{name:02},{prompt},{output}\n"


def packed():
    return gzip.compress("".join(lines()).encode(), 9, mtime=0)


if __name__ == "__main__":
    file = Path(sys.argv[1]) if len(sys.argv) > 1 else FILE
    file.write_bytes(packed())
    print(f"{file.name}: {file.stat().st_size:,} bytes")
