"""Long names, which may break where a reader would break them."""

import re

PLACE = re.compile(r"(?<=\w)([_:/.=]+)(?=\w)|(?<=[a-z])(?=[A-Z])")
SHORT = 16  # letters of a name that stays whole


def breakable(name):
    """Return a name as HTML that may break, if it is longer than 16 letters.

    That is after _ : / . and =, and before a capital within a word.
    """
    return name if len(name) <= SHORT else PLACE.sub(r"\1<wbr>", name)
