"""Lab 01: each wrong solution is named by its slip."""

import numpy as np

from multilora.matmul.lora import lora_delta
from mutants import each_named


def forms_the_large_matrix(x, A, B, scaling):
    return scaling * x @ (B @ A).T


def forms_it_transposed(x, A, B, scaling):
    return x @ (A.T @ B.T) * scaling


def forms_it_with_einsum(x, A, B, scaling):
    return scaling * np.einsum("bi,oi->bo", x, np.einsum("or,ri->oi", B, A))


def forms_it_with_dot(x, A, B, scaling):
    return x.dot(B.dot(A).T) * scaling


def forms_it_from_outer_products(x, A, B, scaling):
    D = np.zeros((len(B), A.shape[1]))
    for k in range(len(A)):
        D += np.outer(B[:, k], A[k])
    return scaling * x @ D.T


def forms_it_by_broadcasting(x, A, B, scaling):
    return scaling * x @ (B[:, :, None] * A[None]).sum(1).T


def forms_it_out_of_copies(x, A, B, scaling):
    A, B = np.asarray(A), np.array(B)
    return x @ (scaling * np.tensordot(B, A, 1)).T


def forms_it_where_nobody_counts(x, A, B, scaling):
    def plain_dot(row, column):
        return sum(b * a for b, a in zip(row, column, strict=True))

    D = [[plain_dot(row, column) for column in A.T.tolist()]
         for row in B.tolist()]  # fmt: skip
    return scaling * x @ np.array(D).T


def one_row_after_another(x, A, B, scaling):
    return np.array([scaling * (B @ (A @ row)) for row in x])


def rows_in_a_list(x, A, B, scaling):
    return list(lora_delta(x, A, B, scaling))


def plain_lists(x, A, B, scaling):
    return lora_delta(x, A, B, scaling).tolist()


def in_half_the_digits(x, A, B, scaling):
    return lora_delta(x, A, B, scaling).astype(np.float32)


def of_objects(x, A, B, scaling):
    return lora_delta(x, A, B, scaling).astype(object)


def of_the_matrix_class(x, A, B, scaling):
    return lora_delta(x, A, B, scaling).view(np.matrix)


def one_after_the_other(x, A, B, scaling):
    yield lora_delta(x, A, B, scaling)


def merges_the_layer(x, W, A, B, scaling):
    return x @ (W + scaling * B @ A).T


def base_not_transposed(x, W, A, B, scaling):
    return x @ W + lora_delta(x, A, B, scaling)


def without_base(x, W, A, B, scaling):
    return lora_delta(x, A, B, scaling)


FORMED, LOOP = "B @ A is formed", "no loop over rows"
MUTANTS = [
    ("lora_delta", forms_the_large_matrix, FORMED),
    ("lora_delta", forms_it_transposed, FORMED),
    ("lora_delta", forms_it_with_einsum, FORMED),
    ("lora_delta", forms_it_with_dot, FORMED),
    ("lora_delta", forms_it_from_outer_products, FORMED),
    ("lora_delta", forms_it_by_broadcasting, FORMED),
    ("lora_delta", forms_it_out_of_copies, FORMED),
    ("lora_delta", forms_it_where_nobody_counts, FORMED),
    ("lora_delta", one_row_after_another, LOOP),
    ("lora_delta", rows_in_a_list, "the result is a list"),
    ("lora_delta", plain_lists, "the result is a list"),
    ("lora_delta", in_half_the_digits, "of type float32"),
    ("lora_delta", of_objects, "of type object"),
    ("lora_delta", of_the_matrix_class, "the result is a matrix"),
    ("lora_delta", one_after_the_other, "the result is a generator"),
    ("apply_single", merges_the_layer, FORMED),
    ("apply_single", base_not_transposed, "W is used without transposing"),
    ("apply_single", without_base, "the base x @ W.T is missing"),
]


test_a_mutant_is_named = each_named(MUTANTS)
