"""What counts as a product, and what is left as it was."""

import numpy as np
import pytest

from multilora.matmul.counting import conversions_kept, counting


def test_a_product_has_its_shapes_and_stands_in_both_lists():
    x, A = counting(np.ones((4, 5))), counting(np.ones((2, 5)))
    x @ A.T
    assert x.products == A.products == [("matmul", ((4, 5), (5, 2)), (4, 2))]


def test_views_copies_and_scaled_ones_share_the_list():
    A = counting(np.arange(10.0).reshape(2, 5))
    x = np.ones((4, 5))
    for item in (A.T, (2 * A).T, A.copy().T, np.transpose(A), A[:1].T):
        x @ item
    x @ np.concatenate([A, A]).T
    assert A.calls == ["matmul"] * 6


def test_the_dot_method_is_counted_on_the_result_of_a_product_too():
    x, A, B = (counting(np.ones(s)) for s in ((4, 5), (2, 5), (7, 2)))
    assert np.array_equal(x.dot(A.T).dot(B.T), np.full((4, 7), 10.0))
    assert x.calls == A.calls == B.calls == ["dot"]


def test_item_by_item_is_a_product_of_two_of_them_only():
    x, A = counting(np.ones((4, 5))), counting(np.ones((2, 5)))
    np.ones((4, 5)) * x
    x * x
    x * np.concatenate([x])
    x *= 2
    assert x.calls == []
    (x[:, None] * A).sum(2)
    assert x.calls == A.calls == ["multiply"]
    assert A.products[0].result == (4, 2, 5)


def test_multi_dot_is_the_products_that_it_makes():
    x, A, B = (counting(np.ones(s)) for s in ((4, 5), (2, 5), (7, 2)))
    np.linalg.multi_dot([x, A.T, B.T])
    assert A.products[0].result == (4, 2)
    assert x.calls == A.calls == B.calls == ["dot"]


def test_conversions_are_kept_within_the_block_only():
    A, usual = counting(np.ones((2, 5))), (np.array, np.asarray)
    with pytest.raises(ZeroDivisionError), conversions_kept():
        for convert in (np.array, np.asarray, np.ascontiguousarray):
            convert(A) @ np.ones(5)
        assert type(np.asarray([1, 2])) is np.ndarray
        _ = 1 / 0
    assert A.calls == ["matmul"] * 3
    assert (np.array, np.asarray) == usual
    assert type(np.asarray(A)) is np.ndarray


def test_products_are_counted_through_views_and_only_products():
    W = counting(np.ones((3, 2)))
    x = np.ones((4, 2))
    assert type(x @ W.T) is np.ndarray
    np.dot(x, W.T)
    np.einsum("bi,oi->bo", x, W[:2])
    np.matmul(x, W.T, out=np.empty((4, 3)))
    assert W.calls == ["matmul", "dot", "einsum", "matmul"]
    W + 1
    W.sum()
    np.concatenate([W, W])
    assert len(W.calls) == 4
