"""JSON of others, refused where its brackets nest too deep.

Python's reader of JSON goes one call deeper for each bracket. Where the stack
is small, as in a browser, a hostile file would end Python itself before
Python can raise RecursionError.
"""

import json
import re
from typing import Any

import numpy as np

from multilora.arguments import shown

MAX_DEPTH = 100  # no config, header or log of anybody's comes near it
# The last one may not be closed: text comes in pieces.
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)', re.DOTALL)
_OPEN, _CLOSED = b"[{", b"]}"
_OTHERS = bytes(set(range(256)) - set(_OPEN + _CLOSED))


def json_value(text: str | bytes, **options: Any) -> Any:
    """Return json.loads(text, **options).

    Raises RecursionError for brackets that nest deeper than MAX_DEPTH,
    TypeError for no text, ValueError for what is no JSON.
    """
    check_depth(text)
    return json.loads(text, **options)


def check_depth(text: str | bytes) -> None:
    """Raise RecursionError for JSON that nests deeper than MAX_DEPTH.

    Brackets within strings do not count. Raises TypeError for no text.
    """
    if not isinstance(text, str | bytes):
        raise TypeError(f"text is {shown(text)}, but must be a str or bytes")
    raw = text.encode("utf-8", "replace") if isinstance(text, str) else text
    if raw.count(b"[") + raw.count(b"{") <= MAX_DEPTH:
        return
    signs = _STRING.sub(b"", raw).translate(None, _OTHERS)
    codes = np.frombuffer(signs, np.uint8)
    is_open = (codes == ord("[")) | (codes == ord("{"))
    if np.cumsum(np.where(is_open, 1, -1)).max(initial=0) > MAX_DEPTH:
        raise RecursionError(f"JSON nests deeper than {MAX_DEPTH} brackets")
