"""Last of its kind: the page holds no finding that no test made."""

import pytest

from multilora.published import published

pytestmark = pytest.mark.engine


def test_every_row_of_the_page_was_made_just_now(findings, request):
    if not findings.is_whole(request.session):
        pytest.skip("only a part of the reconciliation runs in this session")
    if findings.is_recording:
        pytest.skip("the page is being written anew")
    made = [row["key"] for row in findings.rows]
    stored = [row["key"] for row in published("reconciliation")["findings"]]
    assert made == stored, "the page says otherwise: run make reconcile"
