"""An explorer: a draw function, the stops of each axis, where it opens."""

import importlib
import inspect
import itertools
import json
import math
from dataclasses import dataclass

import numpy as np

from multilora.arguments import items, shown
from multilora.units import value_text


@dataclass(frozen=True)
class Explorer:
    """draw(fig, **stops) returns a sentence; axes maps a name to its stops.

    start holds one stop of each axis.
    """

    draw: object
    axes: dict
    start: dict

    @classmethod
    def of(cls, draw, axes, start=None):
        """Return an explorer of checked axes.

        Each axis is a list of stops, numbers or text, none twice. start maps
        an axis to the stop it opens at, the middle one by default.
        Raises TypeError for a draw that does not take these axes, ValueError
        for an empty axis or a start that is none of its stops.
        """
        axes = _check_axes(draw, axes)
        start = {} if start is None else start
        return cls(draw, axes, _check_start(axes, start))

    @classmethod
    def from_json(cls, text):
        """Return the explorer that to_json wrote; imports its draw.

        Raises ValueError for text that is no such thing and for a draw that
        cannot be imported.
        """
        try:
            spec = json.loads(text)
            module, name = spec["draw"].split(":")
            draw = getattr(importlib.import_module(module), name)
            return cls.of(draw, spec["axes"], spec["start"])
        except (
            AttributeError, ImportError, KeyError, TypeError, ValueError,
        ) as error:  # fmt: skip
            raise ValueError(
                f"text is {shown(text)}, but must be what to_json wrote, "
                f"with a draw that can be imported: {error}"
            ) from None

    def to_json(self):
        return json.dumps(
            {"draw": self.address, "axes": self.axes, "start": self.start}
        )

    @property
    def address(self):
        return address_of(self.draw)

    @property
    def name(self):
        """The draw's own name, as an anchor: draw_cold_slot, cold-slot."""
        name = self.draw.__name__.removeprefix("draw_")
        return name.replace("_", "-")

    def combinations(self):
        """Return every combination of stops, the last axis fastest."""
        return [
            dict(zip(self.axes, stops, strict=True))
            for stops in itertools.product(*self.axes.values())
        ]


def address_of(draw):
    return f"{draw.__module__}:{draw.__qualname__}"


def check_draw(draw, values):
    """Raise TypeError unless draw(figure, **values) can be called."""
    if not callable(draw) or not hasattr(draw, "__qualname__"):
        raise TypeError(
            f"draw is {shown(draw)}, but must be a function that takes a "
            "figure and one argument for each axis"
        )
    try:
        inspect.signature(draw).bind(None, **values)
    except TypeError as error:
        raise TypeError(
            f"draw is {address_of(draw)}, which does not fit the axes "
            f"{', '.join(values) or '(none)'}: {error}"
        ) from None


def _check_axes(draw, axes):
    if not isinstance(axes, dict) or not all(map(_is_name, axes)):
        raise TypeError(
            f"axes are {shown(axes)}, but must be a dict that maps the names "
            "of draw's arguments to their stops"
        )
    check_draw(draw, axes)
    checked = {}
    for name, axis in axes.items():
        stops = [_plain(stop) for stop in items(name, axis, object)]
        if not stops:
            raise ValueError(f"{name} is empty, but must hold a stop")
        if not all(map(_is_stop, stops)):
            raise TypeError(
                f"{name} holds {shown(stops)}, but stops must be "
                "numbers or text"
            )
        if not all(map(_is_sayable, stops)):
            raise ValueError(
                f"{name} holds {shown(stops)}, but stops must be finite "
                "numbers or text that is not empty"
            )
        if len({value_text("", stop) for stop in stops}) < len(stops):
            raise ValueError(
                f"{name} is {shown(stops)}, but holds a stop twice, or two "
                "that read the same"
            )
        checked[name] = stops
    return checked


def _check_start(axes, start):
    if not isinstance(start, dict):
        raise TypeError(
            f"start is {shown(start)}, but must be a dict that "
            "maps an axis to its opening stop"
        )
    start = {name: _plain(stop) for name, stop in start.items()}
    for name, stop in start.items():
        if name not in axes or stop not in axes[name]:
            raise ValueError(
                f"start has {name} = {shown(stop)}, "
                f"but the stops are {shown(axes.get(name, list(axes)))}"
            )
    middle = {name: axis[len(axis) // 2] for name, axis in axes.items()}
    return middle | start


def _is_name(name):
    return isinstance(name, str) and name.isidentifier()


def _is_stop(stop):
    is_kind = isinstance(stop, str | int | float)
    return is_kind and not isinstance(stop, bool)


def _is_sayable(stop):
    return bool(stop.strip()) if isinstance(stop, str) else math.isfinite(stop)


def _plain(stop):
    """A numpy scalar as the Python value that JSON can hold."""
    return stop.item() if isinstance(stop, np.generic) else stop
