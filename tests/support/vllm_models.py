"""Ask vLLM's own classes what they allocate for a model's config."""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from repository import ROOT

SUPPORT = Path(__file__).parent


def ask(cases, gpu="H100", timeout=600, module="answers"):
    """Return a dict of answers for each case, from one process of vLLM's.

    module is the one of vllm_on_meta that answers; what follows is of
    "answers". A case is {"config": a config.json as a dict, option: value}.
    Options are those of vLLM's EngineArgs (tensor_parallel_size, max_loras,
    max_lora_rank, lora_target_modules, fully_sharded_loras,
    enable_expert_parallel,
    kv_cache_dtype, max_model_len, ...) and these:

    - name: it comes back with the answers;
    - keep_quantization: False drops the config's quantization_config;
    - rank: the rank to build, by default the first;
    - available_bytes: a list; bytes for a rank's KV blocks.

    The answers (bytes are a rank's):

    - refused: vLLM's words, where it does not serve the config so;
    - error: a traceback, where something failed; what was answered before
      stays;
    - architecture, class, supports_lora; what the class declares;
    - weights (as a checkpoint is loaded), buffers, after_loading (as they
      remain on the GPU; unfinished: what could not be run here);
    - slots: the LoRA manager's modules: {name: [class, bytes, shapes]};
    - kv: each layer's spec, the groups, the tokens that vLLM would log.
    """
    with tempfile.TemporaryDirectory() as folder:
        questions, answers = Path(folder, "questions"), Path(folder, "answers")
        questions.write_text(json.dumps(cases, default=str))
        run = subprocess.run(
            [_engine(), "-m", "vllm_on_meta", gpu, questions, answers, module],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            env=os.environ | {"PYTHONPATH": str(SUPPORT)},
        )
        if run.returncode:
            raise RuntimeError(f"vLLM's process ended early: {run.stderr}")
        return [json.loads(line) for line in answers.read_text().splitlines()]


def _engine():
    """Return a Python that has vLLM: this one, or the one of `make engine`."""
    if find_spec("vllm"):
        return sys.executable
    return str(ROOT / ".venv-engine/bin/python")


def _named_configs(path):
    """Yield (name, config) of a file: one config, or {name: config}."""
    found = json.loads(path.read_text())
    if "model_type" in found or "config" in found:
        yield path.stem, found
    else:
        yield from found.items()


def main():
    """Write or print the answers for files of configs."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--options", type=json.loads, default={})
    parser.add_argument("--out", type=Path, help="a folder, for NAME.json")
    parser.add_argument("--variant", help="files are NAME.VARIANT.json")
    parser.add_argument("--gpu", default="H100")
    parser.add_argument("--only", help="a regular expression of names")
    parsed = parser.parse_args()
    cases = [
        {"name": name, "config": config} | parsed.options
        for path in parsed.files
        for name, config in _named_configs(path)
        if re.search(parsed.only or "", name)
    ]
    for found in ask(cases, parsed.gpu, timeout=None):
        text = json.dumps(found, indent=1)
        if parsed.out:
            parts = filter(None, (found["name"], parsed.variant, "json"))
            (parsed.out / ".".join(parts)).write_text(text)
        else:
            print(text)
        if found["error"]:
            print(found["name"], found["error"][-1500:], file=sys.stderr)


if __name__ == "__main__":
    main()
