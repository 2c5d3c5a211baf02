"""A calibration that nobody measured, for tests of what is done with one."""

from multilora.serving.calibration import Calibration
from multilora.serving.cost import step_cost
from multilora.serving.limits import engine_limits

CALIBRATION = Calibration(
    cost=step_cost(10, 0.5, 0.05, 0, 5, 50, lora_ms=5),
    limits=engine_limits(2, 8, 1024, 4),
    model="base",
    engine_version="0.32.0",
    machine={"cpu": "a cpu", "num_cpus": 2, "date": "2026-11-29"},
    residuals={"alone": 0.02},
    notes=("api_ms was in no probe and is 0",),
    drift=1.08,
    prompt_tokens=(16, 256),
    output_tokens=(8, 32),
    num_requests=100,
    num_steps=500,
    seconds=60.0,
)
