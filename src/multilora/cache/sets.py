"""CPython's set of numbers on a machine of 64 bits, wherever this runs.

In a browser Python has 32 bits, so a set of large numbers is walked in another
order there. The steps are those of CPython 3.11's Objects/setobject.c.
"""

from collections.abc import Iterable

LINEAR_PROBES, PERTURB_SHIFT, LEAST_SIZE, LARGE = 9, 5, 8, 50_000
IS_WIDE = hash(2**40) == 2**40  # with 32 bits a hash is smaller


def walked(numbers: Iterable[int], is_wide: bool = IS_WIDE) -> list[int]:
    """Return distinct numbers in the order in which their set is walked.

    numbers, each at least 0 and below 2**61 - 1, come in the order in which
    the set is filled. is_wide: this Python's own set has 64 bits and is used;
    without it the same order is worked out.
    """
    if is_wide:
        return list({number for number in numbers})
    table: list[int | None] = [None] * LEAST_SIZE
    num = 0
    for number in numbers:
        place = _place(table, number)
        if table[place] is None:
            table[place] = number
            num += 1
            if num * 5 >= (len(table) - 1) * 3:
                table = _larger(table, num * (2 if num > LARGE else 4))
    return [number for number in table if number is not None]


def _place(table: list[int | None], number: int) -> int:
    """Return where a number is, or the empty entry that it would take."""
    mask = len(table) - 1
    start, perturb = number & mask, number
    while True:
        more = LINEAR_PROBES if start + LINEAR_PROBES <= mask else 0
        for place in range(start, start + more + 1):
            if table[place] is None or table[place] == number:
                return place
        perturb >>= PERTURB_SHIFT
        start = (start * 5 + 1 + perturb) & mask


def _larger(table: list[int | None], least: int) -> list[int | None]:
    size = LEAST_SIZE
    while size <= least:
        size *= 2
    larger: list[int | None] = [None] * size
    for number in table:
        if number is not None:
            larger[_place(larger, number)] = number
    return larger
