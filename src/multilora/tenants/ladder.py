"""The rank ladder: quality against rank, trained, several seeds.

    python -m multilora.tenants.ladder

Two styles, one near to the base's and one far from it, at each rank and
seed, on the shipped base; the result is data/ladder.json.
"""

import json
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, replace
from multiprocessing import get_context
from pathlib import Path

from multilora.tenants import FOLDER
from multilora.tenants.recipe import Plan

RANKS = (1, 2, 4, 8, 16, 32)
STYLES = ("sql", "json")
SEEDS = (0, 1, 2)
PLAN = Plan(steps=400, learning_rate=2e-3)


def climb(style: str, rank: int, seed: int) -> dict:
    """Train one adapter and return its row: accuracies and file bytes."""
    import tempfile

    import torch
    from transformers import AutoTokenizer

    from multilora.tenants import score, train
    from multilora.tenants.train import load_base

    torch.set_num_threads(1)
    base = FOLDER / "base"
    tokenizer = AutoTokenizer.from_pretrained(base)
    model = train.add_adapter(load_base(base), rank, seed)
    loss = train.fit(model, tokenizer, style, replace(PLAN, seed=seed))
    with tempfile.TemporaryDirectory() as folder:
        model.save_pretrained(folder)
        file = Path(folder, "adapter_model.safetensors")
        file_bytes = file.stat().st_size
    return {
        "style": style,
        "rank": rank,
        "seed": seed,
        "last_loss": round(loss, 4),
        "file_bytes": file_bytes,
        "accuracies": score.accuracies(model, tokenizer, style),
    }


def main(path: str | Path) -> None:
    """Train every rung on two processes and write them to path."""
    from multilora.tenants.make import SETTINGS, made

    os.environ.update(SETTINGS)
    # The largest first, so that both processes end at about the same time.
    jobs = [
        (style, rank, seed)
        for rank in reversed(RANKS)
        for style in STYLES
        for seed in SEEDS
    ]
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        rows = list(pool.map(climb, *zip(*jobs, strict=True)))
    rows.sort(key=lambda row: (row["style"], row["rank"], row["seed"]))
    record = {"made": made(), "plan": asdict(PLAN), "rows": rows}
    text = json.dumps(record, indent=1, sort_keys=True) + "\n"
    Path(path).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:] or [str(FOLDER.parent / "ladder.json")])
