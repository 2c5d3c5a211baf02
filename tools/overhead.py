"""Measure what LoRA adds to one matmul, and store it for the book.

    python tools/overhead.py

Rewrites src/multilora/data/overhead.json: ratios to the base matmul, with
the machine, the versions and the date. One BLAS thread; minutes.
"""

import json
from pathlib import Path

from multilora.evidence.timing import overhead
from multilora.published import machine

TARGET = Path(__file__).parents[1] / "src/multilora/data/overhead.json"
WIDTH = 4096
RANKS = (8, 16, 64)
ROWS = (1, 4, 16, 64, 256)
ADAPTERS = (1, 2, 4, 8, 16, 32, 64)


def main():
    rows = []
    for rank in RANKS:
        for num_rows in ROWS:
            for num_adapters in ADAPTERS:
                if num_adapters > num_rows:
                    continue
                num_rounds = 41 if num_rows <= 16 else 13
                ratios = overhead(
                    num_rows, num_adapters, rank, WIDTH, num_rounds
                )
                row = {
                    "rank": rank,
                    "rows": num_rows,
                    "num_adapters": num_adapters,
                }
                row |= {name: round(r, 3) for name, r in ratios.items()}
                rows.append(row)
                print(row, flush=True)
    lines = ",\n".join(json.dumps(row) for row in rows)
    head = json.dumps(
        {
            "machine": machine(),
            "width": WIDTH,
            "dtype": "float32",
            "blas_threads": 1,
        }
    )
    TARGET.write_text(f'{head[:-1]},\n"rows": [\n{lines}\n]}}\n')


if __name__ == "__main__":
    main()
