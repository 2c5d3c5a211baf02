"""Record the arguments that `vllm serve` takes, as its own parser says.

Run in the engine's environment, `PYTHONPATH=src python tools/serve_flags.py`;
writes src/multilora/data/serve_flags.json.
"""

import argparse
import json
from pathlib import Path

DATA = Path(__file__).parents[1] / "src/multilora/data/serve_flags.json"
WORDS = {
    "int": "integer",
    "float": "number",
    "human_readable_int": "readable integer",  # 32k, 1M
    "human_readable_int_or_auto": "readable integer or auto",
}


def flags():
    """Return a row for each argument of vLLM's parser, --help apart."""
    from vllm.entrypoints.launchers.cli_args import make_arg_parser
    from vllm.utils.argparse_utils import FlexibleArgumentParser

    parser = make_arg_parser(FlexibleArgumentParser())
    return [
        row(action)
        for action in parser._actions
        if action.option_strings and action.dest != "help"
    ]


def row(action):
    """One argument: its names, how many values it takes, which."""
    found = {"names": list(action.option_strings), "takes": takes(action)}
    if found["takes"] == "none":
        return found
    found["type"] = type_of(action.type)
    choices = [item for item in action.choices or () if item is not None]
    if choices:
        found["choices"] = choices
    if isinstance(action.default, int | float | str):
        if action.default != argparse.SUPPRESS:
            found["default"] = action.default
    return found


def takes(action):
    if action.nargs == 0:
        return "none"
    return {None: "one", "?": "at most one", "+": "many"}[action.nargs]


def type_of(kind):
    """What a value must be; what is no number is text to us."""
    name = getattr(kind, "__name__", "")
    if name == "_optional_type":  # None or "", else what it wraps
        (wrapped,) = (cell.cell_contents for cell in kind.__closure__)
        return type_of(wrapped)
    return WORDS.get(name, "text")


def content():
    """Return what the data file holds."""
    import vllm

    return {
        "source": "make_arg_parser in vllm/entrypoints/launchers/cli_args.py"
        ", read by tools/serve_flags.py",
        "vllm_version": vllm.__version__.split("+")[0],
        "flags": flags(),
    }


def main():
    """Write the data file, a line for each flag."""
    found = content()
    lines = ",\n".join(f"  {json.dumps(item)}" for item in found.pop("flags"))
    head = json.dumps(found, indent=1).removesuffix("\n}")
    DATA.write_text(f'{head},\n "flags": [\n{lines}\n ]\n}}\n', "utf-8")
    print(lines.count("\n") + 1, "flags")


if __name__ == "__main__":
    main()
