"""Train the base, its two relatives and the tenants, and write them down.

    python -m multilora.tenants.make FOLDER

Two processes of one thread each: on one thread, with one set of versions
and one machine, the same weights come out byte for byte.
"""

import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from datetime import date
from importlib.metadata import version
from multiprocessing import get_context
from pathlib import Path

from multilora.adapters.check import FINGERPRINT_FILE
from multilora.adapters.checkpoints import base_fingerprint
from multilora.tenants.cross import cross
from multilora.tenants.recipe import BASES, TENANTS, VOCAB_SIZE, thresholds

# Byte-equal configs need a fixed order of sets, byte-equal weights one thread.
SETTINGS = {
    "PYTHONHASHSEED": "0",
    "OMP_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "TRANSFORMERS_VERBOSITY": "error",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
}


def train_base(folder: str | Path, name: str) -> dict:
    """Train one base into folder/name; return what is recorded of it."""
    import torch

    from multilora.tenants import score, tokens, train

    torch.set_num_threads(1)
    recipe = BASES[name]
    started = time.perf_counter()
    tokenizer = tokens.build_tokenizer(VOCAB_SIZE)
    if recipe.start_from:
        model = train.load_base(Path(folder) / recipe.start_from)
    else:
        model = train.new_base(len(tokenizer), recipe.plan.seed)
    loss = train.fit(model, tokenizer, "base", recipe.plan)
    target = Path(folder) / name
    model.to(torch.bfloat16).save_pretrained(target)
    (target / "generation_config.json").unlink(missing_ok=True)
    tokenizer.save_pretrained(target)
    accuracies = {}
    if not recipe.plan.polite:
        accuracies = score.accuracies(
            train.load_base(target), tokenizer, "base"
        )
    return {
        "plan": asdict(recipe.plan),
        "start_from": recipe.start_from,
        "sha256": base_fingerprint(target),
        "last_loss": round(loss, 4),
        "accuracies": accuracies,
        "seconds": round(time.perf_counter() - started),
    }


def train_tenant(folder: str | Path, name: str) -> dict:
    """Train one adapter on folder/base into folder/name; return its record."""
    import torch
    from transformers import AutoTokenizer

    from multilora.tenants import score, train

    torch.set_num_threads(1)
    recipe, base = TENANTS[name], Path(folder) / "base"
    started = time.perf_counter()
    tokenizer = AutoTokenizer.from_pretrained(base)
    model = train.add_adapter(
        train.load_base(base), recipe.rank, recipe.plan.seed
    )
    loss = train.fit(model, tokenizer, name, recipe.plan)
    target = Path(folder) / name
    model.save_pretrained(target)
    tidy(target, base)
    return {
        "plan": asdict(recipe.plan),
        "rank": recipe.rank,
        "base_sha256": base_fingerprint(base),
        "sha256": base_fingerprint(target),
        "last_loss": round(loss, 4),
        "accuracies": score.accuracies(model, tokenizer, name),
        "seconds": round(time.perf_counter() - started),
    }


def tidy(target: Path, base: Path) -> None:
    """Make an adapter's folder the same on every machine, and say its base.

    PEFT writes the path of this machine and an empty card.
    """
    (target / "README.md").unlink(missing_ok=True)
    path = target / "adapter_config.json"
    config = json.loads(path.read_text("utf-8"))
    config["base_model_name_or_path"] = base.name
    config["target_modules"] = sorted(config["target_modules"])
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    (target / FINGERPRINT_FILE).write_text(base_fingerprint(base) + "\n")


def make(folder: str | Path) -> dict:
    """Train everything into an empty folder; return its tenants.json."""
    os.environ.update(SETTINGS)
    folder = Path(folder)
    started = time.perf_counter()
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        scratch = [name for name in BASES if not BASES[name].start_from]
        tuned = [name for name in BASES if BASES[name].start_from]
        bases = _all(pool, train_base, folder, scratch)
        later = {name: pool.submit(train_base, folder, name) for name in tuned}
        tenants = _all(pool, train_tenant, folder, list(TENANTS))
        bases |= {name: job.result() for name, job in later.items()}
        crossing = {
            name: pool.submit(cross, folder, name, list(TENANTS))
            for name in BASES
        }
        crossed = {name: job.result() for name, job in crossing.items()}
    record = {
        "made": {**made(), "seconds": round(time.perf_counter() - started)},
        "bases": bases,
        "tenants": tenants,
        "crossed": crossed,
    }
    text = json.dumps(record, indent=1, sort_keys=True) + "\n"
    (folder / "tenants.json").write_text(text)
    return record


def _all(pool, function, folder, names):
    jobs = {name: pool.submit(function, folder, name) for name in names}
    return {name: job.result() for name, job in jobs.items()}


def made() -> dict[str, str | int | None]:
    """Return what a trained number must name: machine, versions, date."""
    from multilora.published import machine

    packages = ("torch", "transformers", "peft", "tokenizers", "safetensors")
    return {
        **{key: machine()[key] for key in ("cpu", "num_cpus", "python")},
        **{name: version(name) for name in packages},
        "date": date.today().isoformat(),
    }


def failures(record: dict) -> list[str]:
    """Return a sentence for each accuracy that is below its threshold."""
    found = []
    for kind in ("bases", "tenants"):
        for name, item in record[kind].items():
            for which, share in item["accuracies"].items():
                wanted = thresholds(which)
                if share < wanted:
                    found.append(
                        f"{name}, {which}: {share:.3f} is below {wanted}"
                    )
    return found


def main(arguments: Sequence[str]) -> None:
    """Train, print a table, and replace the folder if all are good enough."""
    if len(arguments) != 1:
        sys.exit(__doc__)
    target = Path(arguments[0])
    if target.exists() and not (target / "tenants.json").is_file():
        sys.exit(f"{target} is there and holds no tenants.json: not replaced")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        record = make(folder)
        _report(record)
        if problems := failures(record):
            sys.exit("\n".join([*problems, f"{target} stays as it was"]))
        replace(folder, target)


def replace(folder: str | Path, target: Path) -> None:
    """Put a new folder in the place of an old one, which then goes."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(folder, target, copy_function=shutil.copyfile)
    target.chmod(0o755)  # a temporary folder is for its owner only


def _report(record):
    for kind in ("bases", "tenants"):
        for name, item in record[kind].items():
            shares = ", ".join(
                f"{which} {share:.3f}"
                for which, share in item["accuracies"].items()
            )
            print(f"{name:12} {item['seconds']:4} s  {shares}")
    print(f"{record['made']['seconds']} s in all")


if __name__ == "__main__":
    main(sys.argv[1:])
