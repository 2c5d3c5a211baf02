"""An explorer's figure on a page that a Chromium shows."""

from pathlib import Path

import pytest

from explored import EXPLORERS

FRONT = "book/index"
MAX_MOVE_BYTES = 60_000
MEMORY = next(item for _, item, _ in EXPLORERS if item.name == "memory")
each_figure = pytest.mark.parametrize(
    ("path", "explorer"),
    [
        *(
            pytest.param(f"notebooks/{path.stem}", item, id=item.name)
            for path, item, _ in EXPLORERS
        ),
        pytest.param(FRONT, MEMORY, id="front-page"),
    ],
)


def figure_of(page, explorer):
    figure = page.locator(f"#explore-{explorer.name}")
    figure.scroll_into_view_if_needed()
    return figure


def sentence_of(figure):
    return figure.locator(".said").inner_text()


def wait_for(page, figure, sentence):
    """Wait for a sentence, then return the file of the picture above it."""
    figure.locator(".said", has_text=sentence).wait_for(timeout=5000)
    source = figure.locator("img").evaluate("image => image.currentSrc")
    return Path(source.removeprefix("file://"))
