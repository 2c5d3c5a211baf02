"""Record what transformers and vLLM say of small models of every family.

Run by `make family-truth` in the engine's environment; writes
tests/support/family_truth.json, with which the plain tests compare the
library. Parameters are transformers', of the types that it has; weights,
slots and KV are vLLM's.
"""

import json
import sys
from datetime import date
from math import prod
from pathlib import Path

import transformers
import vllm

import transformers_models
import vllm_families
from small_models import SMALL

DATA = Path(__file__).parents[1] / "tests/support/family_truth.json"


def num_params(config):
    """Return {"num_params": transformers' count}, or {} without a class."""
    if not transformers_models.has_class(config["model_type"]):
        return {}
    found = transformers_models.parameters(config)
    return {"num_params": sum(map(prod, found.values()))}


def main():
    """Ask both and write the file, a line for each model."""
    answers = vllm_families.ask_all()
    if problems := vllm_families.errors(answers):
        sys.exit("\n".join(map(str, problems.items())))
    asked = {
        "transformers": transformers.__version__,
        "vllm": vllm.__version__.split("+")[0],
        "date": date.today().isoformat(),
    }
    lines = [
        f"{json.dumps(name)}: "
        + json.dumps(num_params(config) | vllm_families.by_vllm(answers[name]))
        for name, config in SMALL.items()
    ]
    models = ",\n".join(lines)
    DATA.write_text(
        f'{{"asked": {json.dumps(asked)}, "models": {{\n{models}\n}}}}\n'
    )


if __name__ == "__main__":
    main()
