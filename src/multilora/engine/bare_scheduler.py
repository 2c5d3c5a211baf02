"""vLLM's own v1 Scheduler without a model: tokens are made up."""

from pathlib import Path

from multilora.arguments import integer
from multilora.engine import quiet
from multilora.engine.bare import vllm_config
from multilora.matmul.operands import BASE

BLOCK_TOKENS, MAX_TOKENS = 16, 256


class BareScheduler:
    """A real Scheduler whose model answers token 1 to everything.

    scheduler is vLLM's. KV blocks are plenty, so that seats, tokens and
    adapters are what binds.
    """

    def __init__(
        self,
        model: str | Path,
        max_loras: int,
        max_num_seqs: int,
        token_budget: int,
        num_blocks: int = 4096,
    ) -> None:
        max_num_seqs = integer("max_num_seqs", max_num_seqs, minimum=1)
        token_budget = integer("token_budget", token_budget, minimum=1)
        quiet.prepare()
        from vllm.v1.core.sched.scheduler import Scheduler
        from vllm.v1.structured_output import StructuredOutputManager

        config = vllm_config(
            model,
            max_loras=max_loras,
            max_num_seqs=max_num_seqs,
            max_num_batched_tokens=max(token_budget, max_num_seqs),
            max_model_len=MAX_TOKENS,
        )
        config.cache_config.num_gpu_blocks = num_blocks
        self.scheduler = Scheduler(
            vllm_config=config,
            kv_cache_config=_kv_cache(num_blocks),
            structured_output_manager=StructuredOutputManager(config),
            block_size=BLOCK_TOKENS,
        )
        # vLLM wants a budget of at least a token a seat; a smaller one is
        # only a number to the walk.
        self.scheduler.max_num_scheduled_tokens = token_budget

    def add(
        self,
        request_id: str,
        adapter_id: int,
        num_prompt_tokens: int,
        max_tokens: int,
    ) -> None:
        """Queue a request; adapter_id -1 is base.

        Raises ValueError for fewer than one token, or more than 256 in all.
        """
        integer("adapter_id", adapter_id, minimum=BASE)
        integer("num_prompt_tokens", num_prompt_tokens, 1, MAX_TOKENS - 1)
        longest = MAX_TOKENS - num_prompt_tokens
        integer("max_tokens", max_tokens, 1, longest)
        from vllm import SamplingParams
        from vllm.lora.request import LoRARequest
        from vllm.v1.request import Request

        lora = None
        if adapter_id != BASE:
            # Ids of LoRARequests begin at 1.
            lora = LoRARequest(f"a{adapter_id}", adapter_id + 1, "nowhere")
        sampling = SamplingParams(max_tokens=max_tokens, ignore_eos=True)
        sampling.update_from_generation_config({}, 2)
        self.scheduler.add_request(
            Request(
                request_id,
                [1] * num_prompt_tokens,
                sampling,
                None,
                lora_request=lora,
            )
        )

    def step(self) -> dict[str, int]:
        """Schedule once and answer; return {request id: tokens} in order."""
        from vllm.v1.outputs import ModelRunnerOutput

        output = self.scheduler.schedule()
        tokens = dict(output.num_scheduled_tokens)
        requests = self.scheduler.requests
        # A prompt that is not yet through gives no token.
        sampled = [
            [1]
            if requests[key].num_computed_tokens >= requests[key].num_tokens
            else []
            for key in tokens
        ]
        self.scheduler.update_from_output(
            output,
            ModelRunnerOutput(
                list(tokens),
                {key: number for number, key in enumerate(tokens)},
                sampled,
            ),
        )
        return tokens

    @property
    def waiting(self) -> list[str]:
        """Request ids in the queue, first in line first."""
        return [item.request_id for item in self.scheduler.waiting]

    @property
    def running(self) -> list[str]:
        """Request ids with a seat, in the scheduler's order."""
        return [item.request_id for item in self.scheduler.running]


def _kv_cache(num_blocks):
    import torch
    from vllm.v1.kv_cache_interface import (
        FullAttentionSpec,
        KVCacheConfig,
        KVCacheGroupSpec,
    )

    spec = FullAttentionSpec(
        block_size=BLOCK_TOKENS,
        num_kv_heads=1,
        head_size=16,
        dtype=torch.float32,
    )
    return KVCacheConfig(
        num_blocks=num_blocks,
        kv_cache_tensors=[],
        kv_cache_groups=[KVCacheGroupSpec(["layer"], spec)],
    )
