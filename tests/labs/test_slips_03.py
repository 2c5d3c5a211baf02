"""Lab 03: the known slips, each named by its sentence."""

from mutants import each_named


def rounds_down(tenants, max_loras):
    return tenants - tenants // max_loras


def counts_only_a(in_features, out_features, rank):
    return in_features * rank


def counts_params(hidden, layers, rank, targets=4, bytes_per_param=2):
    return 2 * hidden * rank * targets * layers


def decimal(hidden, layers, rank, targets=4, bytes_per_param=2):
    size = counts_params(hidden, layers, rank, targets) * bytes_per_param
    return 10**9 / size


SLIPS = [
    ("lora_params_per_layer", counts_only_a, "only one of A and B"),
    ("adapter_bytes", counts_params, "each takes two bytes"),
    ("adapters_per_gib", decimal, "GB instead of GiB"),
    ("gpus_saved", rounds_down, "the 4 tenants left over"),
]


test_a_known_slip_is_named = each_named(SLIPS)
