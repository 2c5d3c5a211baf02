"""Documents of plain dicts and lists as YAML that every reader reads alike."""

import re
from collections.abc import Iterable
from typing import Any

import yaml

from multilora.arguments import items
from multilora.deploy.quoting import WIDTH, one_line


def yaml_text(documents: Iterable[dict[str, Any]]) -> str:
    """Return documents of plain dicts and lists as YAML, keys in order.

    It reads alike under YAML 1.1 and 1.2: a text that either takes for a
    number is quoted. A text of several lines is one block.
    Raises TypeError for no dicts and what YAML has no plain form for.
    """
    documents = items("documents", documents, dict)
    try:
        return yaml.dump_all(
            documents, Dumper=_Dumper, sort_keys=False, width=WIDTH
        )
    except yaml.representer.RepresenterError as error:
        raise TypeError(
            f"documents holds {one_line(repr(error.args[-1]))}, but must be "
            "dicts, lists, texts and numbers"
        ) from None


class _Dumper(yaml.SafeDumper):
    """SafeDumper that names no thing twice: no anchors, no aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


# PyYAML leaves these bare. YAML 1.2 reads 1e3 and 0o17 as numbers; what
# kubectl reads with takes y and n for true and false.
_LIKE_A_NUMBER = re.compile(r"[-+]?[0-9.]|[yYnN]$")


def _represent(dumper: _Dumper, value: str) -> yaml.ScalarNode:
    style = None
    if "\n" in value and _is_block(value):
        style = "|"
    elif _LIKE_A_NUMBER.match(value):
        style = "'"
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style)


def _is_block(value: str) -> bool:
    return value.replace("\n", "").isprintable() and value.isascii()


_Dumper.add_representer(str, _represent)
