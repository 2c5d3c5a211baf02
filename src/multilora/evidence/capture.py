"""The capture of a GPU, if one has been made: read and summed up."""

import json
from importlib.resources import files


def gpu_capture() -> dict | None:
    """Return data/gpu_capture.json, or None where none has been made."""
    path = files("multilora").joinpath("data/gpu_capture.json")
    return json.loads(path.read_text("utf-8")) if path.is_file() else None


def summary(capture: dict | None) -> str:
    """Return a capture as lines of text; None says that there is none."""
    if capture is None:
        return "No GPU capture has been made yet: `make capture` makes one."
    device = capture["device"]
    lines = [
        f"{device['name']}, vLLM {device['vllm']}, {device['date']}",
    ]
    for run in capture["runs"]:
        memory = run["memory"]
        lines.append(
            f"{run['model']}, max_loras={run['max_loras']}, rank "
            f"{run['max_lora_rank']}: weights {memory['weight_bytes']:,}, "
            f"slots {memory['slot_bytes']:,} bytes, "
            f"{memory['kv_blocks']:,} KV blocks"
        )
        for row in run["sweep"]:
            lines.append(
                f"  {row['num_adapters']:2} adapters: "
                f"{row['tokens_per_second_over_base']:.2f} of the base's "
                f"tokens/s, ITL {row['itl_over_base']:.2f} times the base's"
            )
        lines.append(
            "  first token, over a warm slot: "
            + ", ".join(
                f"{name} {ratio:.2f}"
                for name, ratio in run["first_token"].items()
            )
        )
    return "\n".join(lines)
