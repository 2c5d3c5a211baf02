"""Take the README's pictures of two explorers from the built book.

make pictures
"""

from pathlib import Path

from lab import CHROMIUM, FLAGS
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[1]
SHOTS = {
    "explorer-memory": (
        "notebooks/lab-03-lora-economics",
        "#explore-memory?max_loras=32&max_lora_rank=64",
    ),
    "explorer-thrash": (
        "notebooks/lab-04-adapter-slot-cache",
        "#explore-thrash?tenants=40&max_loras=8&skew=1",
    ),
}


def main():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=FLAGS
        )
        page = browser.new_page(
            viewport={"width": 1280, "height": 900}, device_scale_factor=1.5
        )
        for name, (path, link) in SHOTS.items():
            address = (ROOT / f"_build/html/{path}.html").as_uri()
            page.goto(address + link)
            figure = page.locator(link.split("?")[0])
            figure.locator("input").nth(1).focus()
            page.wait_for_timeout(300)
            figure.screenshot(path=ROOT / f"book/images/{name}.png")


if __name__ == "__main__":
    main()
