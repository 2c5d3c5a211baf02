"""Where the times of a step are from: fitted hours, or a calibration."""

from typing import NamedTuple

from multilora.arguments import choice, finite_number, shown
from multilora.memory.weights import weight_breakdown
from multilora.models.shapes import ModelShape, check_shape
from multilora.models.shipped import model_shape
from multilora.serving.calibration import Calibration, check_calibration
from multilora.serving.cost import StepCost
from multilora.serving.terms import StepTerms, fitted_models, step_terms

# A base so many times as large is taken for as large as the fitted one.
ALIKE = 1.25


class Costs(NamedTuple):
    """The StepCost of any slots and rank, and where it is from.

    One of terms and measured is None. factor multiplies every time; said is
    a sentence for the reader of a plan.
    """

    terms: StepTerms | None
    measured: StepCost | None
    factor: float
    said: str

    def cost(
        self,
        max_loras: int,
        max_lora_rank: int,
        is_cold: bool = False,
        disk_load_ms: float | None = None,
    ) -> StepCost:
        """Return the StepCost of an engine with these slots and this rank.

        is_cold: the API server has seen no adapter yet. disk_load_ms
        replaces what a read of the disk takes. A measured cost is that of
        its own slots, and says nothing of first uses.
        """
        if self.measured is not None:
            cost = self.measured
        elif self.terms is not None:
            cost = self.terms.cost(max_loras, max_lora_rank, is_cold)
        else:
            raise ValueError("costs holds neither terms nor a measured cost")
        cost = cost if self.factor == 1 else cost.scaled(self.factor)
        if disk_load_ms is not None:
            read = finite_number("disk_load_ms", disk_load_ms, 0, 60_000)
            cost = cost._replace(disk_load_ns=round(read * 10**6))
        return cost

    def slower(self, factor: float) -> "Costs":
        """Return the same with every time multiplied by factor."""
        factor = finite_number("factor", factor, 1e-3, 1e3)
        return self._replace(factor=self.factor * factor)


def measured_costs(calibration: Calibration) -> Costs:
    """Return the Costs of a calibrated engine, whatever its slots."""
    it = check_calibration(calibration)
    said = (
        f"calibrated on {it.model}, vLLM {it.engine_version}, with "
        f"max_loras={it.limits.max_loras}"
    )
    if not it.is_steady:
        said += "; the machine was not steady while it was measured"
    return Costs(None, it.cost, 1.0, said)


def fitted_costs(
    shape: ModelShape,
    tensor_parallel_size: int = 1,
    model: str | None = None,
) -> Costs:
    """Return the Costs of the fitted model that is nearest to a base.

    Nearest by the bytes of weights that one GPU reads in a step; model names
    a fitted one instead. Where they are more by over a quarter, every time
    is multiplied by the ratio: a step that reads more takes longer in
    proportion. That is a rule of thumb, not a measurement, and said so.
    Where they are fewer the times stay, because not all of a step is reading.
    """
    weights = _weights(check_shape(shape), tensor_parallel_size)
    known = {name: _weights(model_shape(name), 1) for name in fitted_models()}
    if model is None:
        model = min(known, key=lambda name: abs(known[name] - weights))
    model = choice("model", model, known)
    ratio = weights / known[model]
    said = (
        f"fitted on real hours of {model}, vLLM 0.8.5, one 64 GB GPU of the "
        "H100 class"
    )
    if ratio < 1 / ALIKE:
        said += "; the base is smaller, so its steps take less than this"
    if ratio <= ALIKE:
        return Costs(step_terms(model), None, 1.0, said)
    said += (
        f"; each time is multiplied by {ratio:.2f}, because a GPU reads "
        f"{ratio:.2f} times the weights (a rule of thumb, not measured)"
    )
    return Costs(step_terms(model), None, ratio, said)


def check_costs(costs: object) -> Costs:
    """Return Costs as they are; raise TypeError for anything else."""
    if not isinstance(costs, Costs):
        raise TypeError(f"costs is {shown(costs)}, but must be Costs")
    return costs


def _weights(shape, size):
    return weight_breakdown(shape, None, size).weights
