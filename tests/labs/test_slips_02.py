"""Lab 02: the known slips, each named by its sentence."""

import hashlib

from multilora.adapters.checkpoints import tensors, weight_files
from multilora.labs.spec_02 import Said
from multilora.labs.switch import library
from mutants import each_named


def merges_without_scaling(W, A, B, scaling):
    return W + B @ A


def merges_in_place(W, A, B, scaling):
    W += scaling * (B @ A)
    return W


def zips_to_the_shorter(dedicated, consolidated):
    cut = [
        [
            Said(item.token_ids[:length], item.logprobs[:length])
            for item, length in zip(run, lengths, strict=True)
        ]
        for lengths in [
            [
                min(len(a.token_ids), len(b.token_ids))
                for a, b in zip(dedicated, consolidated, strict=True)
            ]
        ]
        for run in (dedicated, consolidated)
    ]
    return library("eval_diff")(*cut)


def compares_every_logprob(dedicated, consolidated):
    result = library("eval_diff")(dedicated, consolidated)
    gaps = [
        abs(a - b)
        for one, two in zip(dedicated, consolidated, strict=True)
        for a, b in zip(one.logprobs, two.logprobs, strict=False)
    ]
    return result._replace(max_logprob_difference=max(gaps))


def returns_a_tuple(dedicated, consolidated):
    return tuple(library("eval_diff")(dedicated, consolidated))


def hashes_the_file(folder):
    digest = hashlib.sha256()
    for path in weight_files(folder):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def hashes_values_only(folder):
    digest = hashlib.sha256()
    for path in weight_files(folder):
        for _, tensor in sorted(tensors(path).items()):
            digest.update(tensor.values().tobytes())
    return digest.hexdigest()


SLIPS = [
    ("merge_weights", merges_without_scaling, "the scaling is forgotten"),
    ("merge_weights", merges_in_place, "changed in place"),
    ("eval_diff", zips_to_the_shorter, "was counted as equal"),
    ("eval_diff", compares_every_logprob, "different tokens were compared"),
    ("eval_diff", returns_a_tuple, "return an EvalDiff"),
    ("base_fingerprint", hashes_the_file, "the sha256 of the file"),
    ("base_fingerprint", hashes_values_only, "not the sha256"),
]


test_a_known_slip_is_named = each_named(SLIPS)
