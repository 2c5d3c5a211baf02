"""Wrong arguments of what reads a server's metrics work or are named."""

import tempfile
from pathlib import Path

from bad_input import each_wrong_value
from metric_pages import page
from multilora.watch import findings, metrics, scrapes, seen, symptoms

FOLDER = tempfile.TemporaryDirectory()  # until the tests are over
PAGE = Path(FOLDER.name) / "metrics.txt"
PAGE.write_text(page(), "utf-8")
SCRAPE = scrapes.parse_scrape(page())
GOOD = {
    scrapes.parse_scrape: (page(),),
    metrics.read_scrape: (PAGE,),
    seen.look: ([SCRAPE],),
    findings.fitting: ([SCRAPE], 500.0, 9),
    symptoms.symptom: ("gone",),
}

test_each_wrong_value_works_or_is_named = each_wrong_value(GOOD)
