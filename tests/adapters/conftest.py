"""An adapter's folder that a test may change."""

import shutil

import pytest

from multilora.tenants import folder_of


@pytest.fixture
def sql_copy(tmp_path):
    """A copy of the tenant sql's PEFT folder."""
    return shutil.copytree(folder_of("sql"), tmp_path / "sql")
