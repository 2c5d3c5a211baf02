"""Take pictures from the built book: two explorers, the printed sheet.

make pictures
"""

from pathlib import Path

import pypdfium2
from playwright.sync_api import sync_playwright

from lab import CHROMIUM, FLAGS

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
SHEET = ROOT / "_build/html/book/cheat-sheet.html"
A4 = {
    "format": "A4",
    "margin": dict.fromkeys(("top", "right", "bottom", "left"), "10mm"),
}


def printed(page, path):
    """Print a page on A4; return the sheets as a PdfDocument."""
    page.goto(path.as_uri())
    page.wait_for_timeout(300)
    return pypdfium2.PdfDocument(page.pdf(**A4))


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
        sheet = printed(browser.new_page(), SHEET)[0].render(scale=1.6)
        picture = sheet.to_pil().convert("P", palette=0, colors=16)
        picture.save(ROOT / "book/images/cheat-sheet.png", optimize=True)


if __name__ == "__main__":
    main()
