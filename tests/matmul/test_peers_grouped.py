"""PEFT and vLLM give our numbers: the benchmark's short form, no clock."""

import numpy as np
import pytest

from multilora import engine
from multilora.matmul.segments import segments_of
from multilora.tenants import folder_of

pytestmark = [
    pytest.mark.engine,
    pytest.mark.peers,
    pytest.mark.filterwarnings("ignore"),  # of torch and vLLM
]


@pytest.fixture(scope="module", autouse=True)
def torch_without_gradients():
    torch = pytest.importorskip("torch", reason="needs torch: make test-peers")
    pytest.importorskip("peft", reason="needs PEFT: make test-peers")
    with torch.inference_mode():
        yield


def asked(point, width):
    from grouped import by_peers, by_us
    from grouped_case import drawn
    from stopwatch import Stopwatch

    case, watch = drawn(*point, width), Stopwatch()
    return case, by_us(case, watch) | by_peers(case, watch)


@pytest.mark.parametrize("rows", [16, 64, 256])
def test_peft_and_vllm_give_the_loop_s_numbers_exactly(rows):
    """The benchmark's three points, narrower: it checks 4096 itself."""
    from grouped import GROUPED_POINTS
    from grouped_case import require_equal

    (point,) = (point for point in GROUPED_POINTS if point[0] == rows)
    case, functions = asked(point, 512)
    assert set(functions) == {
        "unsorted", "presorted", "PEFT", "vLLM bgmv", "vLLM sgmv",
    }  # fmt: skip
    require_equal(case, functions)


@pytest.mark.parametrize("name", ["PEFT", "vLLM bgmv", "unsorted"])
def test_a_wrong_number_would_be_found(name):
    from grouped_case import require_equal

    case, functions = asked((16, 4), 64)
    wrong = np.array(functions[name]())
    wrong[3, 5] += 1
    with pytest.raises(AssertionError, match=name):
        require_equal(case, functions | {name: lambda: wrong})


def test_no_adapter_is_left_out_of_the_batch():
    """Else equality with the loop could be equality of two bases."""
    case, functions = asked((16, 4), 64)
    base = segments_of(case.ids).sort(case.x) @ case.W.T
    assert (np.asarray(functions["vLLM sgmv"]()) != base).any(axis=1).all()


def test_an_engine_after_numba_says_what_to_do():
    """vLLM's CPU build scans all modules and falls over llvmlite's library."""
    pytest.importorskip("numba", reason="needs numba: make test-peers")
    with pytest.raises(RuntimeError, match="numba was imported before the"):
        engine.start(folder_of("base"), max_loras=1)
