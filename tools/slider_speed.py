"""Key to changed picture in JupyterLab: explore beside plain interact.

    python tools/slider_speed.py

One JupyterLab, one notebook a draw function, which both call; keys go to
each in turn, and every move asks for a picture that was not on the page
before. Once with the server that `make lab` starts, once with a stock one.
Medians and where explore's time goes are written to
src/multilora/data/slider_speed.json, with machine and date. Needs playwright
and a Chromium; five minutes.
"""

import json
import statistics
import tempfile
from contextlib import contextmanager
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

from lab import CHROMIUM, FLAGS, jupyterlab, run_all
from multilora.book.notebooks import KERNEL
from multilora.published import machine
from slider_cells import ORDER, WATCH, cells

TARGET = Path(__file__).parents[1] / "src/multilora/data/slider_speed.json"
WARM_UP = 4
PAUSE_MS = 150  # after a change: one key every third of a second or so
HELD_MS = 30  # a held key
NODELAY = "--ServerApp.jpserver_extensions={'multilora.explore.nodelay': True}"
SERVERS = {"make lab": [NODELAY], "stock": []}
EXPLORERS = {
    "lab03.draw_memory": {
        "max_loras": [1, 2, 4, 8, 16, 32, 64],
        "max_lora_rank": [8, 16, 32, 64],
        "model": ["Llama-3.1-8B", "Qwen3-8B"],
        "card": ["24 GB"],
        "tensor_parallel_size": [1],
    },
    "lab03.draw_savings": {
        "tenants": [10, 25, 50, 100, 150, 200],
        "max_loras": [1, 2, 4, 8, 16, 32],
    },
    "lab04.draw_thrash": {
        "max_loras": [1, 2, 4, 8, 16, 32],
        "tenants": [10, 20, 40, 60],
        "skew": [0.0, 0.5, 1.0],
    },
}


def snake(lengths):
    """Yield (axis, key) from the first stops on; no combination twice."""
    at, way = [0] * len(lengths), [1] * len(lengths)
    while True:
        for axis, length in enumerate(lengths):
            if 0 <= at[axis] + way[axis] < length:
                at[axis] += way[axis]
                yield axis, "ArrowRight" if way[axis] > 0 else "ArrowLeft"
                break
            way[axis] *= -1
        else:
            return


def press(page, cell, axis, key, pause_ms=PAUSE_MS):
    """Return the ms from this key to the change of what the cell shows."""
    handles = page.locator(".jp-CodeCell").nth(cell).locator(".noUi-handle")
    handles.nth(axis).focus()
    page.evaluate(WATCH, cell)
    page.keyboard.press(key)
    took = page.evaluate("window.took")
    page.wait_for_timeout(pause_ms)
    return took


def echo_ms(page, num_moves, pause_ms):
    """Return the median ms of a slider that only echoes its number."""
    took = [
        press(page, 0, 0, "ArrowRight", pause_ms)
        for _ in range(num_moves + WARM_UP)
    ]
    return statistics.median(took[WARM_UP:])


def measure(page, axes, num_moves):
    """Return medians in ms by way, and explore's share of interact's."""
    spent = {way: [] for way in ORDER}
    moves = snake([len(stops) for stops in axes.values()])
    for _, (axis, key) in zip(range(num_moves + WARM_UP), moves, strict=False):
        for cell, way in enumerate(ORDER):
            move = (0, "ArrowRight") if way == "echo" else (axis, key)
            spent[way].append(press(page, cell, *move))
    output = page.locator(".jp-CodeCell").nth(len(ORDER)).locator("pre").last
    compute, drawing = json.loads(output.inner_text())
    found = {w: statistics.median(t[WARM_UP:]) for w, t in spent.items()}
    found |= {"compute": compute, "drawing": drawing}
    found = {name: round(ms, 1) for name, ms in found.items()}
    return found | {
        "ratio": round(found["explore"] / found["interact"], 3),
        "cold_ratio": round(found["cold"] / found["interact"], 3),
    }


@contextmanager
def open_notebook(browser, draw, *options):
    """Yield a page with the notebook of a draw function, all cells run."""
    sources = cells(draw, EXPLORERS[draw])
    notebook = new_notebook(
        cells=[new_code_cell(source) for source in sources],
        metadata={"kernelspec": KERNEL},
    )
    with (
        tempfile.TemporaryDirectory() as folder,
        jupyterlab(folder, *options) as address,
    ):
        nbformat.write(notebook, Path(folder) / "speed.ipynb")
        page = browser.new_page(viewport={"width": 1300, "height": 2400})
        run_all(page, address, "speed.ipynb")
        yield page
        page.close()


def main(num_moves=24):
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=FLAGS
        )
        servers = measure_servers(browser, num_moves)
    record = {
        "machine": machine(),
        "unit": "ms, medians",
        "pause_ms": PAUSE_MS,
        "held_ms": HELD_MS,
        "servers": servers,
    }
    TARGET.write_text(json.dumps(record, indent=1) + "\n", "utf-8")


def measure_servers(browser, num_moves):
    servers = {}
    for server, options in SERVERS.items():
        servers[server] = {"explorers": {}}
        for draw, axes in EXPLORERS.items():
            with open_notebook(browser, draw, *options) as page:
                found = measure(page, axes, num_moves)
                held = round(echo_ms(page, num_moves, HELD_MS), 1)
            print(server, draw, found, flush=True)
            servers[server]["explorers"][draw] = found
        servers[server]["held_echo"] = held
    return servers


if __name__ == "__main__":
    main()
