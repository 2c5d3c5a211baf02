"""Adapters that do not fit, met by a running engine."""

import pytest

from multilora import tenants
from multilora.adapters.misfits import make_misfit


@pytest.mark.engine
def test_nan_of_one_tenant_reaches_a_reply_of_the_base(tmp_path):
    """On the CPU build, through KV blocks that are used again."""
    from multilora import engine

    bad = make_misfit("NaN weights", tenants.folder_of("sql"), tmp_path / "x")
    with engine.start(tenants.folder_of("base"), max_loras=2) as running:

        def said(tag):
            (reply,) = running.generate(["List 3 fruits:"], [tag])
            return reply.text

        before = said(None)
        running.load("bad", bad, check=False)
        said("bad")
        assert said(None) != before
