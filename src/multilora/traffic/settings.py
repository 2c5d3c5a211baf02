"""Settings in a NamedTuple of numbers, each of them checked."""

from collections.abc import Mapping

from multilora.arguments import finite_number, shown


def checked_numbers(
    name: str,
    settings: object,
    kind: type[tuple],
    allowed: Mapping[str, tuple[float, float]],
) -> list[float]:
    """Return the numbers of settings, each a float in its allowed range.

    allowed holds (minimum, maximum) for each field of the NamedTuple kind.
    Raises TypeError for another object, or a number that is none; ValueError
    for one out of its range.
    """
    if not isinstance(settings, kind):
        raise TypeError(
            f"{name} is {shown(settings)}, but must be {kind.__name__}"
        )
    return [
        finite_number(f"{field} of {name}", value, *limits)
        for (field, limits), value in zip(
            allowed.items(), settings, strict=True
        )
    ]
