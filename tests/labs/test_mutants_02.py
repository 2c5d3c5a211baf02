"""Lab 02, merge and fingerprint: each wrong solution is named by its slip."""

import hashlib

import numpy as np

from multilora.adapters.checkpoints import tensors, weight_files
from mutants import assert_accepted, each_named

MERGED = [
    (lambda W, A, B, s: W + B @ A, "the scaling is forgotten"),
    (lambda W, A, B, s: s * B @ A, "the base is missing"),
    (lambda W, A, B, s: W * 1.0, "the delta is missing"),
    (lambda W, A, B, s: s * (W + B @ A), "the base is scaled too"),
    (lambda W, A, B, s: W + s * (B @ A).T, "the shapes do not fit"),
    (lambda W, A, B, s: W.T + s * A.T @ B.T, "the layer is transposed"),
    (lambda W, A, B, s: W + s / len(A) * B @ A, "divided by r"),
    (lambda W, A, B, s: W + s * (B @ (s * A)), "scaling is applied twice"),
    (lambda W, A, B, s: W - s * B @ A, "the delta is taken away"),
    (lambda W, A, B, s: W + s * np.outer(B[:, 0], A[0]), "part of the rank"),
    (lambda W, A, B, s: W + s * A @ B, "the shapes do not fit"),
    (lambda W, A, B, s: W + 3.0 * B @ A, "differs from W + s B A"),
    (lambda W, A, B, s: (W + s * B @ A).tolist(), "returns a list"),
    (lambda W, A, B, s: np.float32(W + s * B @ A), "numpy array of float64"),
    (lambda W, A, B, s: np.add(W, s * B @ A, out=W), "W was changed in"),
    (lambda W, A, B, s: W + np.multiply(B, s, out=B) @ A, "B was changed in"),
    (lambda W, A, B, s: W + B @ np.multiply(A, s, out=A), "A was changed in"),
    (lambda W, B, A: W + B @ A, "wanted is def merge_weights(W, A, B, scal"),
]


def transposes_where_it_fits(W, A, B, scaling):
    delta = B @ A
    return W + scaling * (delta.T if delta.T.shape == W.shape else delta)


def fingerprint(order=sorted, label="{0} {1} {2}\n", data=None, end=None):
    """A base_fingerprint by this recipe; without arguments it is right."""
    end = end or (lambda digest: digest.hexdigest())
    data = data or (lambda tensor: b"".join(tensor.chunks()))

    def recipe(folder):
        every = {}
        for path in weight_files(folder):
            every |= tensors(path)
        digest = hashlib.sha256()
        for name in order(every):
            tensor = every[name]
            text = label.format(
                name, tensor.dtype, list(tensor.shape), tensor.shape
            )
            digest.update(text.encode())
            digest.update(data(tensor))
        return end(digest)

    return recipe


def of_the_first_file(folder):
    digest = hashlib.sha256()
    for name, tensor in sorted(tensors(weight_files(folder)[0]).items()):
        text = f"{name} {tensor.dtype} {list(tensor.shape)}\n"
        digest.update(text.encode() + b"".join(tensor.chunks()))
    return digest.hexdigest()


def file_by_file(folder):
    digest = hashlib.sha256()
    for path in weight_files(folder):
        for name, tensor in sorted(tensors(path).items()):
            text = f"{name} {tensor.dtype} {list(tensor.shape)}\n"
            digest.update(text.encode() + b"".join(tensor.chunks()))
    return digest.hexdigest()


def by_number(names):
    return sorted(names, key=lambda n: (n[0], int(n.partition(".")[2] or 0)))


PRINTED = [
    (fingerprint(order=list), "sort the tensors by name"),
    (fingerprint(order=by_number), "layer.10 comes before layer.2"),
    (
        fingerprint(order=lambda names: sorted(names, key=str.lower)),
        "capitals come first",
    ),
    (fingerprint(label="{1} {2}\n"), "another name gives the same"),
    (fingerprint(label="{0} {2}\n"), "another dtype gives the same"),
    (fingerprint(label="{0} {1}\n"), "another shape gives the same"),
    (fingerprint(label="{0}\n"), "dtypes and shapes are left out"),
    (fingerprint(label=""), "names, dtypes and shapes are left out"),
    (fingerprint(label="{0} {1} {2}"), "the newline after the text"),
    (fingerprint(label="{0} {1} {3}\n"), "in square brackets"),
    (fingerprint(data=lambda tensor: b""), "another value gives the same"),
    (fingerprint(data=lambda t: next(t.chunks())), "not the first alone"),
    (fingerprint(data=lambda t: t.values().tobytes()), "as they lie"),
    (fingerprint(data=lambda t: str(t.values()).encode()), "not the sha256"),
    (fingerprint(end=lambda digest: digest.digest()), "is no sha256 in hex"),
    (fingerprint(end=lambda digest: digest), "is no sha256 in hex"),
    (fingerprint(end=lambda d: d.hexdigest().upper()), "in small letters"),
    (fingerprint(end=lambda d: d.hexdigest()[:32]), "is no sha256 in hex"),
    (lambda folder: hashlib.sha256(folder.encode()).hexdigest(), "not the"),
    (of_the_first_file, "only one of the two files"),
    (file_by_file, "sort the tensors of all files by name"),
]
MUTANTS = [
    *[("merge_weights", *row) for row in MERGED],
    ("merge_weights", transposes_where_it_fits, "the delta is transposed"),
    *[("base_fingerprint", *row) for row in PRINTED],
]


test_a_mutant_is_named = each_named(MUTANTS)


def test_variants_are_accepted():
    assert_accepted("base_fingerprint", fingerprint())
    for merged in (
        lambda W, A, B, s: s * np.einsum("or,ri->oi", B, A) + W,
        lambda W, A, B, s: (W.T + (A.T * s) @ B.T).T,
        lambda W, A, B, s: np.add(W, np.dot(B * s, A)),
    ):
        assert_accepted("merge_weights", merged)
