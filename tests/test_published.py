"""The published data: a copy for each reader, a source for each number."""

import json

import pytest

from multilora.models.shipped import model_shape
from multilora.published import published


def test_published_data_cannot_be_spoilt():
    published("models").clear()
    assert published("models")
    for wrong in (-1, 0, "8", float("nan")):
        with pytest.raises((ValueError, TypeError), match="vocab_size"):
            model_shape("Llama-2-7B", vocab_size=wrong)


def test_data_files_hold_no_unread_constant():
    for name in ("adapters", "startups"):
        assert published(name)["source"]
    assert json.dumps(published("worked_examples"))
