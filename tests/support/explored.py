"""The explorers that the notebooks store."""

import pytest

from multilora.book.explorers import stored_explorers
from repository import NOTEBOOKS

# (path of the notebook, explorer, its page in the output)
EXPLORERS = [
    (path, explorer, page)
    for path in NOTEBOOKS
    for explorer, page in stored_explorers(path)
]
each_explorer = pytest.mark.parametrize(
    ("explorer", "page"),
    [pytest.param(*item, id=item[0].name) for _, *item in EXPLORERS],
)
