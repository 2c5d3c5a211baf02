"""A headless Firefox, driven by its own Marionette: no driver, no package.

Marionette speaks TCP: a message is its length, a colon and JSON. A command is
[0, id, name, parameters], its answer [1, id, error, result].
"""

import json
import shutil
import socket
import subprocess
import time
from contextlib import closing, contextmanager, suppress

FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")
BOOT_S, ANSWER_S = 60, 120
# Firefox itself calls nobody; a test's page must not either.
PREFERENCES = {
    "marionette.port": 0,
    "app.update.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.page": 0,
    "browser.safebrowsing.downloads.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.search.update": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.getAddons.cache.enabled": False,
    "extensions.systemAddon.update.enabled": False,
    "extensions.update.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "network.dns.disablePrefetch": True,
    "network.prefetch-next": False,
    "services.settings.server": "data:,",
    "toolkit.telemetry.server": "",
}
# In the browser's own context: what its pages and workers ask for.
LISTEN = """
if (!window.bookAsked) {
  window.bookAsked = [];
  Services.obs.addObserver(
    (request) => {
      const { URI, loadInfo } = request.QueryInterface(Ci.nsIChannel);
      // What Firefox asks for itself is no page's.
      if (!loadInfo.triggeringPrincipal.isSystemPrincipal)
        window.bookAsked.push(URI.spec);
    }, "http-on-modify-request");
}
"""


class FirefoxError(Exception):
    """What Firefox said to a command that it refused."""


class Firefox:
    """One session; scripts run in the page that is open."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), ANSWER_S)
        self.file = self.socket.makefile("rb")
        self.number = 0
        self._read()  # its greeting
        self.command("WebDriver:NewSession", {"acceptInsecureCerts": False})
        self.in_browser(LISTEN)

    def command(self, name, parameters=None):
        self.number += 1
        text = json.dumps([0, self.number, name, parameters or {}]).encode()
        self.socket.sendall(b"%d:%s" % (len(text), text))
        _, number, error, result = self._read()
        assert number == self.number
        if error:
            raise FirefoxError(f"{error['error']}: {error['message']}")
        return result

    def _read(self):
        length = b""
        while (byte := self.file.read(1)) != b":":
            if not byte:
                raise FirefoxError("Firefox has ended")
            length += byte
        return json.loads(self.file.read(int(length)))

    def open(self, url):
        self.command("WebDriver:Navigate", {"url": url})

    def run(self, script, *args):
        """Return what a function's body returns in the page."""
        parameters = {
            "script": script,
            "args": args,
            "sandbox": None,
            "scriptTimeout": ANSWER_S * 1000,
        }
        return self.command("WebDriver:ExecuteScript", parameters)["value"]

    def wait(self, script, *args, seconds=ANSWER_S):
        """Return the first true value that the body returns."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if value := self.run(script, *args):
                return value
            time.sleep(0.1)
        raise TimeoutError(f"not within {seconds} s: {script[:200]}")

    def in_browser(self, script):
        """As run, with the browser's own rights."""
        self.command("Marionette:SetContext", {"value": "chrome"})
        try:
            return self.run(script)
        finally:
            self.command("Marionette:SetContext", {"value": "content"})

    def asked(self):
        """Return the addresses that pages have asked by http so far."""
        return self.in_browser("return window.bookAsked")

    def close(self):
        with suppress(OSError, FirefoxError):
            self.command("Marionette:Quit", {"flags": ["eForceQuit"]})
        self.file.close()
        self.socket.close()


@contextmanager
def firefox(profile):
    """Start a Firefox on an empty folder; yield it; gone afterwards."""
    lines = [
        f"user_pref({json.dumps(name)}, {json.dumps(value)});\n"
        for name, value in PREFERENCES.items()
    ]
    (profile / "user.js").write_text("".join(lines))
    command = [
        FIREFOX, "--headless", "--no-remote", "--profile", str(profile),
        "--marionette", "--remote-allow-system-access",
    ]  # fmt: skip
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            browser = Firefox(_port(profile, process))
            with closing(browser):
                yield browser
        finally:
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()


def _port(profile, process):
    file = profile / "MarionetteActivePort"
    for _ in range(BOOT_S * 10):
        if file.is_file() and file.read_text().strip():
            return int(file.read_text())
        if process.poll() is not None:
            raise FirefoxError(f"Firefox ended with {process.returncode}")
        time.sleep(0.1)
    raise TimeoutError(f"Firefox did not come up in {BOOT_S} s")
