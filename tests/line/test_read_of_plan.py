"""The lines that a plan writes are read back as what it planned."""

import pytest

import made_plans
from multilora.deploy import serve_args
from multilora.line.read import serve_line

PLAN = made_plans.three_engines()


@pytest.mark.parametrize("number", range(1, len(PLAN.engines) + 1))
def test_a_planned_line_is_read_back_whole(number):
    engine = PLAN.engines[number - 1]
    line = serve_line(serve_args.serve_line(PLAN, number))
    assert line.model == PLAN.model
    setting = engine.setting
    assert line.max_loras == setting.max_loras
    assert line.max_lora_rank == setting.max_lora_rank
    assert line.max_cpu_loras == setting.max_cpu_loras
    options = line.options
    assert options["max_num_seqs"] == setting.max_num_seqs
    assert options["max_num_batched_tokens"] == setting.max_num_batched_tokens
    assert options["max_model_len"] == PLAN.max_model_len
    share = PLAN.gpu_memory_utilization
    assert options["gpu_memory_utilization"] == share
    assert line.lora_modules == tuple(
        (one.name, one.folder) for one in engine.tenants if one.folder
    )
    assert line.notes == ()
