"""Wrong arguments of the batched matmul work or are named."""

import numpy as np

from bad_input import each_wrong_value
from multilora.matmul import lora, rounding, segments

X, W = np.ones((2, 3)), np.ones((4, 3))
A, B = np.ones((1, 3)), np.ones((4, 1))
BATCH = (X, W, [(A, B)], [0, -1], [1.0])
TWO_ROWS = segments.segments_of([-1, 0])
GOOD = {
    lora.lora_delta: (X, A, B, 1.0),
    lora.apply_single: (X, W, A, B, 1.0),
    lora.apply_batched: BATCH,
    lora.apply_row_by_row: BATCH,
    lora.pad_adapter: (A, B, 8),
    lora.merge_weights: (W, A, B, 1.0),
    lora.group_rows: ([0, 1], 2),
    segments.segments_of: ([0, 1],),
    segments.Segments: ([1, 0], [(-1, 0, 1), (0, 1, 2)]),
    TWO_ROWS.sort: (X,),
    TWO_ROWS.unsort: (X,),
    segments.fast_layout: (A, B),
    segments.apply_segments: (X, W, [(A, B)], TWO_ROWS, [1.0]),
    segments.apply_layers: (X, [W], [[(A, B)]], [0, -1], [1.0]),
    rounding.delta_error_bound: (X, A, B, 1.0, "float32", "float32"),
}

test_each_wrong_value_works_or_is_named = each_wrong_value(GOOD)
