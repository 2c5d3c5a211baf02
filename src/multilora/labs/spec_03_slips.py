"""Lab 03's known slips: {sentence: the number that the slip gives}.

Each takes a case, whose attributes are the arguments with defaults filled
in, and the right number.
"""

GIB = 2**30

PARAMS_PER_LAYER = {
    "only one of A and B is counted": lambda c, _: c.rank * c.in_features,
    "only one of A and B is counted: A is (rank, in)": lambda c, _: (
        c.rank * c.out_features
    ),
    "that is the base matrix, in × out, not the adapter": lambda c, _: (
        c.in_features * c.out_features
    ),
    "with grouped queries in and out differ: count both": lambda c, _: (
        2 * c.rank * c.in_features
    ),
    "A and B lie side by side: add their weights, do not multiply": (
        lambda c, _: c.rank * c.in_features * c.rank * c.out_features
    ),
    "rank is a side of both: A is (rank, in), B is (out, rank)": (
        lambda c, _: c.rank * c.in_features + c.out_features
    ),
    "that is bytes: a weight counts once here": lambda c, right: 2 * right,
}

ADAPTER_BYTES = {
    "that is parameters: each takes two bytes, or bytes_per_param": (
        lambda c, right: right / c.bytes_per_param
    ),
    "one matrix a layer is counted, but there are four, or targets": (
        lambda c, right: right / c.targets
    ),
    "one layer is counted, but there are 32, or layers": (
        lambda c, right: right / c.layers
    ),
    "only one of A and B is counted": lambda c, right: right / 2,
    "that is bits: a byte is eight of them": lambda c, right: 8 * right,
    "that is MiB: bytes are wanted": lambda c, right: right / 2**20,
    "that is GiB: bytes are wanted": lambda c, right: right / GIB,
    "the rank is squared": lambda c, right: right * c.rank,
    "that is the base's matrices, hidden × hidden, not the adapter": (
        lambda c, right: right * c.hidden / (2 * c.rank)
    ),
}

ADAPTERS_PER_GIB = {
    "GB instead of GiB: a GiB is 2**30 bytes": (
        lambda c, right: right * 10**9 / GIB
    ),
    "MiB instead of GiB: a GiB is 2**30 bytes": (
        lambda c, right: right / 2**10
    ),
    "bytes_per_param is used twice": lambda c, right: (
        right / c.bytes_per_param
    ),
    "parameters are taken for bytes: each takes two, or bytes_per_param": (
        lambda c, right: right * c.bytes_per_param
    ),
    "upside down: that is the share of a GiB that one takes": (
        lambda c, right: 1 / right
    ),
    "rounded down: give the float": lambda c, right: right // 1,
    "rounded: give the float": lambda c, right: round(right),
    "rounded up: give the float": lambda c, right: -(-right // 1),
    "only one of A and B is counted": lambda c, right: 2 * right,
}

SHRINK_RATIO = {
    "bytes and parameters are mixed: count both in parameters": (
        lambda c, right: right / 2
    ),
    "bytes and parameters are mixed, or only one of A and B is counted": (
        lambda c, right: 2 * right
    ),
    "upside down: it is the base over the adapter": (
        lambda c, right: 1 / right
    ),
    "rounded down: give the float": lambda c, right: right // 1,
    "rounded: give the float": lambda c, right: round(right),
    "one layer is counted, but there are 32, or layers": (
        lambda c, right: right * c.layers
    ),
    "one matrix a layer is counted, but there are four, or targets": (
        lambda c, right: right * c.targets
    ),
    "the adapter is added to the base: divide the base alone": (
        lambda c, right: right + 1
    ),
}

GPUS_SAVED = {
    "rounded down: the 4 tenants left over need an engine too": lambda c, _: (
        c.tenants - c.tenants // c.max_loras
    ),
    "half an engine does not exist: round engines up": lambda c, _: (
        c.tenants - c.tenants / c.max_loras
    ),
    "rounded to the nearest engine: round engines up": lambda c, _: (
        c.tenants - round(c.tenants / c.max_loras)
    ),
    "that is the engines needed, not the GPUs saved": lambda c, right: (
        c.tenants - right
    ),
    "a full engine is one engine, not two": lambda c, _: (
        c.tenants - c.tenants // c.max_loras - 1
    ),
    "one engine is not enough: max_loras tenants share one": lambda c, _: (
        c.tenants - 1
    ),
    "an engine has max_loras slots, but that is not what is saved": (
        lambda c, _: c.tenants - c.max_loras
    ),
    "that is a share: the number of GPUs is wanted": lambda c, right: (
        right / c.tenants
    ),
}
