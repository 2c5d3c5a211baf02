"""Lab 03: each wrong number is named by its slip."""

import math
from fractions import Fraction

import numpy as np

from multilora.memory import economics
from mutants import each_accepted, each_named

GIB = 2**30


def size(hidden, layers, rank, targets=4, bytes_per_param=2):
    return economics.adapter_bytes(
        hidden, layers, rank, targets, bytes_per_param
    )


def three_targets(hidden, layers, rank, targets=3, bytes_per_param=2):
    return size(hidden, layers, rank, targets, bytes_per_param)


def no_targets(hidden, layers, rank, targets=4, bytes_per_param=2):
    return size(hidden, layers, rank, 4, bytes_per_param)


def no_width(hidden, layers, rank, targets=4, bytes_per_param=2):
    return size(hidden, layers, rank, targets, 2)


def known_answer(hidden, layers, rank, targets=4, bytes_per_param=2):
    return 33_554_432


def in_text(hidden, layers, rank, targets=4, bytes_per_param=2):
    return f"{size(hidden, layers, rank) / GIB:.2f} GiB"


def misspelt(hidden, layer, rank, targets=4, bytes_per_param=2):
    return size(hidden, layer, rank, targets, bytes_per_param)


def of_size(change):
    """A function of adapter_bytes' arguments that changes its result."""

    def changed(hidden, layers, rank, targets=4, bytes_per_param=2):
        right = size(hidden, layers, rank, targets, bytes_per_param)
        return change(right, hidden, layers, rank, targets, bytes_per_param)

    return changed


def of_ratio(change):
    def changed(base_params, hidden, layers, rank, targets=4):
        right = economics.shrink_ratio(
            base_params, hidden, layers, rank, targets
        )
        return change(right, layers, targets)

    return changed


BYTES = [
    (three_targets, "the default is targets=4"),
    (no_targets, "targets is ignored"),
    (no_width, "bytes_per_param is ignored"),
    (known_answer, "gives 33,554,432 whatever it is asked"),
    (in_text, "is a str, '0.03 GiB', but must be a number"),
    (misspelt, "wanted is def adapter_bytes(hidden, layers, rank, targets=4"),
    (of_size(lambda y, h, n, r, t, b: y / b), "that is parameters"),
    (of_size(lambda y, h, n, r, t, b: y // t), "one matrix a layer"),
    (of_size(lambda y, h, n, r, t, b: y // n), "one layer is counted"),
    (of_size(lambda y, h, n, r, t, b: y // 2), "only one of A and B"),
    (of_size(lambda y, h, n, r, t, b: y * 8), "that is bits"),
    (of_size(lambda y, h, n, r, t, b: y * r), "the rank is squared"),
    (of_size(lambda y, h, n, r, t, b: y / 2**20), "that is MiB"),
    (of_size(lambda y, h, n, r, t, b: h * h * t * n * b), "the base's"),
]
PER_GIB = [
    (of_size(lambda y, *_: GIB // y), "rounded down"),
    (of_size(lambda y, *_: round(GIB / y)), "rounded: give the float"),
    (of_size(lambda y, *_: math.ceil(GIB / y)), "rounded up"),
    (of_size(lambda y, *_: 10**9 / y), "GB instead of GiB"),
    (of_size(lambda y, *_: 2**20 / y), "MiB instead of GiB"),
    (of_size(lambda y, *_: y / GIB), "upside down"),
    (of_size(lambda y, h, n, r, t, b: GIB / y / b), "used twice"),
    (of_size(lambda y, h, n, r, t, b: GIB / y * b), "taken for bytes"),
    (of_size(lambda y, *_: 32.0), "whatever it is asked"),
    (no_targets, "targets is ignored"),
]
RATIO = [
    (of_ratio(lambda y, n, t: y / 2), "bytes and parameters are mixed"),
    (of_ratio(lambda y, n, t: y // 1), "rounded down: give the float"),
    (of_ratio(lambda y, n, t: round(y)), "rounded: give the float"),
    (of_ratio(lambda y, n, t: 1 / y), "upside down"),
    (of_ratio(lambda y, n, t: y * n), "one layer is counted"),
    (of_ratio(lambda y, n, t: y * t), "one matrix a layer"),
    (of_ratio(lambda y, n, t: y + 1), "added to the base"),
    (of_ratio(lambda y, n, t: 417.23), "whatever it is asked"),
    (of_ratio(lambda y, n, t: [y]), "is a list"),
]
SAVED = [
    (lambda tenants, slots: 87, "whatever it is asked"),
    (lambda tenants, slots: tenants - tenants // slots, "rounded down"),
    (lambda tenants, slots: tenants - tenants / slots, "half an engine"),
    (lambda tenants, slots: tenants - round(tenants / slots), "nearest"),
    (lambda tenants, slots: math.ceil(tenants / slots), "engines needed"),
    (lambda tenants, slots: tenants - tenants // slots - 1, "full engine"),
    (lambda tenants, slots: tenants - 1, "one engine is not enough"),
    (lambda tenants, slots: tenants - slots, "not what is saved"),
    (lambda tenants, slots: tenants - math.ceil(tenants / 8), "is ignored"),
    (lambda tenants: tenants - 1, "wanted is def gpus_saved(tenants, max"),
]
PARAMS = [
    (lambda i, o, r: r * i, "only one of A and B"),
    (lambda i, o, r: r * o, "only one of A and B"),
    (lambda i, o, r: i * o, "the base matrix"),
    (lambda i, o, r: 2 * r * i, "grouped queries"),
    (lambda i, o, r: r * i * r * o, "do not multiply"),
    (lambda i, o, r: r * i + o, "rank is a side of both"),
    (lambda i, o, r: 2 * r * (i + o), "that is bytes"),
    (lambda i, o, r: 8 * (i + o), "rank is ignored"),
]
MUTANTS = [
    (name, mutant, sentence)
    for name, table in (
        ("adapter_bytes", BYTES), ("adapters_per_gib", PER_GIB),
        ("shrink_ratio", RATIO), ("gpus_saved", SAVED),
        ("lora_params_per_layer", PARAMS))
    for mutant, sentence in table
]  # fmt: skip
ACCEPTED = [
    ("gpus_saved", lambda tenants, slots: tenants - np.ceil(tenants / slots)),
    ("gpus_saved", lambda tenants, slots: (tenants * slots - tenants - (
        -tenants % slots)) // slots),
    ("adapters_per_gib", of_size(lambda y, *_: Fraction(GIB, y))),
    ("adapters_per_gib", of_size(lambda y, *_: np.float64(GIB) / y)),
    ("adapter_bytes", of_size(lambda y, *_: np.array(y))),
    ("lora_params_per_layer", lambda i, o, r: np.ones((r, i + o)).size),
]  # fmt: skip


test_a_mutant_is_named = each_named(MUTANTS)


test_a_variant_is_accepted = each_accepted(ACCEPTED)
