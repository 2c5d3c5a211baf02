"""Nothing of vLLM outlives its parent, at any moment of its start."""

import contextlib

import pytest

import families

pytestmark = [pytest.mark.engine, pytest.mark.filterwarnings("ignore")]
# While its engine core starts, vLLM 0.32 ignores one SIGTERM: the handler
# raises a KeyboardInterrupt, which network_utils.zmq_socket_ctx drops.
PAIRS = (
    (("SIGTERM", "2"), ("SIGKILL", "8")),
    (("SIGTERM", "core"), ("SIGKILL", "core+3")),
    (("SIGTERM", "core+6"), ("SIGKILL", "core")),
    (("SIGTERM", "healthy"),),
)


@pytest.mark.parametrize("pair", PAIRS, ids=str)
def test_nothing_outlives_its_parent(pair):
    found = families.parents("vllm", pair)
    with contextlib.ExitStack() as checks:  # all of them, if one fails too
        for (_, moment), (token, size, sessions) in found.items():
            checks.callback(families.wait_until_gone, token, sessions)
            # The server, and from then on its engine core.
            assert size >= (1 if moment in "28" else 2)
