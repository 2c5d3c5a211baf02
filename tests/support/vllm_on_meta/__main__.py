"""python -m vllm_on_meta GPU QUESTIONS ANSWERS MODULE: a line a question.

MODULE is one of this package's; its answer(case, folder) answers.
"""

import json
import os
import resource
import sys
import tempfile
import traceback
from importlib import import_module
from pathlib import Path

from vllm_on_meta.gpu import pretend

MOST_BYTES = 12 << 30  # of a case's address space: nothing needs real memory
# What nearly every case imports late: once here, not again in each fork.
SHARED = (
    "vllm.distributed.ec_transfer.ec_connector.utils",
    "vllm.lora.punica_wrapper.punica_gpu",
    "vllm.model_executor.layers.fused_moe.experts.trtllm_lora_moe",
    "vllm.model_executor.models.pixtral",
    "vllm.model_executor.models.transformers",
    "vllm.plugins.lora_resolvers.hf_hub_resolver",
    "vllm.v1.attention.backends.flash_attn",
    "vllm.v1.attention.backends.flex_attention",
    "vllm.v1.attention.backends.turboquant_attn",
    "vllm.v1.executor.uniproc_executor",
)


def main(gpu, questions, answers, module):
    """Answer each case in a fork, so that no state of vLLM's is shared."""
    cases = json.loads(Path(questions).read_text())
    pretend(gpu)
    from vllm_on_meta.configs import register

    # vLLM, imported for all forks.
    answer = import_module(f"vllm_on_meta.{module}").answer

    register()
    _share()
    with tempfile.TemporaryDirectory() as folder, open(answers, "w") as file:
        for number, case in enumerate(cases):
            path = Path(folder, f"{number}.json")
            if not (child := os.fork()):
                _child(answer, case, path)
            _, status = os.waitpid(child, 0)
            if not path.exists():
                path.write_text(_failed(case, f"the process died: {status}"))
            file.write(path.read_text() + "\n")
            file.flush()


def _share():
    """Do once what each fork would do for itself: a third of its time."""
    from vllm.config.logging import LoggingConfig
    from vllm.logger import configure_logging_if_needed

    configure_logging_if_needed(LoggingConfig())
    for name in SHARED:
        import_module(name)


def _child(answer, case, path):
    """Write the answer, then end without the parent's clean-up."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    try:
        try:
            text = json.dumps(answer(case, path.parent), default=str)
        except BaseException:
            text = _failed(case, traceback.format_exc())
        path.write_text(text)
    finally:
        os._exit(0)


def _failed(case, why):
    return json.dumps({"name": case.get("name"), "error": why})


if __name__ == "__main__":
    main(*sys.argv[1:])
