"""A JupyterLab of one's own and a Chromium to drive it, for measuring."""

import os
import shutil
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager

from multilora.engine.launch import HOST, free_port

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


# JupyterLab shows a traceback as it shows what is printed to stderr.
ERROR = '[data-mime-type="application/vnd.jupyter.stderr"]'
# The page holds cells only once it has come to them; the model holds them all.
EXPOSED = "--LabApp.expose_app_in_browser=True"
IDLE = 'text="Python 3 (ipykernel) | Idle"'
NOTEBOOK = "globalThis.jupyterapp?.shell.currentWidget?.content"
CELLS = f"[...{NOTEBOOK}.model.cells]"
CODE = f"{CELLS}.filter(cell => cell.type === 'code')"
IN_PAGE = "document.querySelectorAll('.jp-Notebook .jp-Cell')"
IS_SHOWN = f"() => {NOTEBOOK}?.model && {CELLS}.length === {IN_PAGE}.length"
IS_DONE = f"() => {CODE}.every(cell => cell.executionState === 'idle')"
HAVE_RUN = f"{CODE}.every(cell => cell.executionCount !== null)"


@contextmanager
def jupyterlab(folder, *options):
    """Serve a folder in JupyterLab; yield the address; gone afterwards."""
    port = free_port()
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root",
        f"--port={port}", "--IdentityProvider.token=", EXPOSED, *options,
        str(folder),
    ]  # fmt: skip
    server = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    address = f"http://{HOST}:{port}"
    try:
        _wait_until_up(f"{address}/api/status")
        yield address
    finally:
        _stop(server)


def _stop(server):
    """End a server; its kernels end themselves once it is gone.

    Rarely (one of 180 times) a server hangs as it stops: it is killed.
    """
    server.terminate()
    try:
        server.wait(20)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def _wait_until_up(address):
    for _ in range(120):
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except OSError:
            time.sleep(0.5)
    raise TimeoutError(f"{address} did not come up in a minute")


def run_all(page, address, notebook):
    """Open a notebook and run every cell; wait until the last one has run."""
    page.goto(f"{address}/lab/tree/{notebook}?reset")
    page.wait_for_function(IS_SHOWN, timeout=60_000)
    run_cells(page)


def run_cells(page, command="runmenu:run-all"):
    """Run cells of an open notebook, all of them if no other command is given.

    Wait until the last one has run.

    JupyterLab drops the command while the kernel connects, and says idle
    before it does, so it is given again until the first prompt is back.
    """
    from playwright.sync_api import TimeoutError as NotYet

    for _ in range(10):
        page.wait_for_selector(IDLE)
        page.click('.lm-MenuBar-item:has-text("Run")')
        page.click(f'.lm-Menu-item[data-command="{command}"]')
        try:
            running = '.jp-InputPrompt:has-text("[*]")'
            page.wait_for_selector(running, timeout=15_000)
            break
        except NotYet:
            continue
    page.wait_for_function(IS_DONE, timeout=500_000)
    if not page.evaluate(HAVE_RUN):
        said = page.locator(ERROR).last.inner_text()
        raise RuntimeError(f"a cell raised, and the rest did not run: {said}")
