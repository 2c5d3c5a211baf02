"""The page that plans a reader's case, with their files, in Chromium.

Needs `make book`, playwright and a Chromium: make browser.
"""

import gzip
import json
import random
import re

import pytest

from multilora.adapters.made import make_adapter
from multilora.inpage.case import own_case
from multilora.models.shipped import model_shape
from multilora.published import published

pytestmark = pytest.mark.browser

PAGE = "book/plan-here"
ENDED = re.compile("Done|Stopped|ended|nothing to answer|but must be")
HEAD = "time,model,prompt_tokens,completion_tokens"
SCRIPT = "<script>alert(1)</script>"
(QWEN,) = (m["config"] for m in published("models") if m["name"] == "Qwen3-8B")


def log_text(num, seed=1, names=12, rate=4.0):
    draw = random.Random(seed)
    weights = [1 / (k + 1) for k in range(names)]
    rows, at = [HEAD], 1.7e9
    for _ in range(num):
        at += draw.expovariate(rate)
        (name,) = draw.choices(range(names), weights)
        rows.append(
            f"{at:.3f},tenant-{name},{draw.randint(20, 900)},"
            f"{draw.randint(5, 200)}"
        )
    return "\n".join(rows) + "\n"


def file_of(name, text):
    content = text if isinstance(text, bytes) else text.encode()
    return {"name": name, "mimeType": "", "buffer": content}


def give(page, *, config=None, log=None, adapters=None):
    if config:
        text = json.dumps(config)
        page.set_input_files(".case-config", file_of("config.json", text))
    if log:
        page.set_input_files(".case-log", log)
    if adapters:
        page.set_input_files(".case-adapters", adapters)


def said(page):
    return page.locator(".case-said")


def planned(page, button=".case-plan"):
    """Press a button and wait for the end; return the blocks by title."""
    page.locator(button).click()
    said(page).filter(has_text=ENDED).wait_for(timeout=240_000)
    assert "Done" in said(page).inner_text(), said(page).inner_text()
    return {
        block.locator("h3").inner_text(): block
        for block in page.locator(".case-block").all()
    }


def saved(page):
    """The answer as the page saves it as JSON."""
    with page.expect_download() as download:
        page.locator(".case-json").click()
    return json.loads(download.value.path().read_text("utf-8"))


@pytest.fixture
def desk(tmp_path):
    """Gives the answer of the same files by the library as it is here."""

    def desk(config=None, log=None, **options):
        if config:
            (tmp_path / "config").mkdir()
            path = tmp_path / "config/config.json"
            path.write_text(json.dumps(config))
        if log:
            (tmp_path / "log").mkdir()
            (tmp_path / "log/requests.csv").write_text(log)
        return own_case(tmp_path, **options)

    return desk


def test_a_config_and_a_log_get_the_plan_of_the_library(open_page, desk):
    page, log = open_page(PAGE), log_text(300)
    give(page, config=QWEN, log=file_of("requests.csv", log))
    assert page.locator(".case-files li").count() == 2
    blocks = planned(page)
    line = blocks["The plan"].locator("pre").inner_text()
    expected = desk(config=QWEN, log=log)
    numbers = expected["blocks"][-1]["numbers"]
    found = [int(num) for num in re.findall(r"--max-loras (\d+)", line)]
    assert found == list(dict.fromkeys(numbers["max_loras"]))
    assert saved(page) == expected
    assert page.problems == []


def test_the_example_by_keyboard_shows_every_part(open_page):
    page = open_page(PAGE)
    page.locator(".case-example").focus()
    page.keyboard.press("Enter")
    said(page).filter(has_text="Done").wait_for(timeout=240_000)
    titles = page.locator(".case-block h3").all_inner_texts()
    assert titles == ["The base", "Slots and memory", "Traffic",
                      "Hits over slots", "The plan"]  # fmt: skip
    assert page.locator(".case-block svg").count() == 3
    assert "--max-loras 40" in page.locator(".case-block pre").inner_text()
    with page.expect_download() as download:
        page.locator(".case-text").click()
    assert "--max-loras 40" in download.value.path().read_text("utf-8")
    assert page.problems == []


def test_a_folder_of_adapters_is_checked(open_page, tmp_path):
    shape = model_shape("Llama-3.2-1B")
    make_adapter(tmp_path / "mine/good", shape, 8, ["q_proj"])
    make_adapter(
        tmp_path / "mine/wide", model_shape("Qwen3-8B"), 8, ["q_proj"]
    )
    (tmp_path / "mine/notes.md").write_text("no adapter")
    page = open_page(PAGE)
    give(page, adapters=tmp_path / "mine")
    assert "2 adapters taken" in page.locator(".case-told").inner_text()
    page.select_option("select[name=model]", "Llama-3.2-1B")
    block = planned(page)["Check of the adapters"]
    rows = block.locator("tbody tr").all_inner_texts()
    assert "wide" in rows[0] and "refused" in rows[0]
    assert "good" in rows[1] and "served" in rows[1]
    page.get_by_role("button", name="Remove adapter wide").click()
    assert page.locator(".case-files li").count() == 1


def test_what_is_dropped_is_taken_by_its_name(open_page):
    page = open_page(PAGE)
    transfer = page.evaluate_handle(
        "(files) => { const all = new DataTransfer(); for (const [name, text]"
        " of files) all.items.add(new File([text], name)); return all; }",
        [["config.json", json.dumps(QWEN)], ["requests.csv", log_text(20)]],
    )
    page.dispatch_event(".case-drop", "drop", {"dataTransfer": transfer})
    page.locator(".case-files li").nth(1).wait_for()
    text = page.locator(".case-files").inner_text()
    assert "config.json" in text and "log requests.csv" in text
    assert "The plan" in planned(page)


def test_hostile_names_are_text(open_page):
    page = open_page(PAGE)
    num = page.locator("script").count()
    rows = [HEAD, *(f"{1e9 + k},{SCRIPT}{k % 3},5,6" for k in range(9))]
    give(page, log=file_of(f"{SCRIPT[:7]}.csv", "\n".join(rows)))
    page.select_option("select[name=model]", "Llama-3.2-1B")
    blocks = planned(page)
    assert SCRIPT in blocks["Traffic"].inner_text()
    assert page.locator("script").count() == num
    assert page.problems == []


def test_a_file_of_a_gib_is_refused_in_a_sentence(open_page, tmp_path):
    path = tmp_path / "big.csv"
    with open(path, "wb") as file:
        file.truncate(2**30)
    page = open_page(PAGE)
    give(page, log=path)
    page.select_option("select[name=model]", "Llama-3.2-1B")
    blocks = planned(page)
    assert "more than 128 MiB" in blocks["Traffic"].inner_text()
    assert "multilora plan big.csv" in blocks["Traffic"].inner_text()
    assert blocks["Slots and memory"].locator("svg").count() == 1


def test_stop_ends_it_and_the_files_stay(open_page):
    page = open_page(PAGE)
    give(page, log=file_of("a.csv", log_text(3000)))
    page.select_option("select[name=model]", "Llama-3.1-8B")
    page.locator(".case-plan").click()
    page.locator(".case-stop").click()
    said(page).filter(has_text="Stopped").wait_for(timeout=60_000)
    assert page.locator(".case-files li").count() == 1
    assert page.locator(".case-stop").is_hidden()


def test_nothing_given_is_a_sentence(open_page):
    page = open_page(PAGE)
    page.locator(".case-plan").click()
    assert "nothing to answer yet" in said(page).inner_text()
    page.fill("[name=ttft_p99_ms]", "-5")
    page.select_option("select[name=model]", "Llama-3.1-8B")
    page.locator(".case-plan").click()
    said(page).filter(has_text="ttft_p99_ms is -5").wait_for(timeout=240_000)


def test_where_python_cannot_run_the_commands_are_there(open_page):
    page = open_page(PAGE)
    page.add_init_script("delete window.WebAssembly")
    page.reload()
    assert "no WebAssembly" in page.locator(".case-cannot").inner_text()
    assert page.locator(".case-form").is_hidden()
    assert page.locator(".case-desk pre").is_visible()


@pytest.mark.parametrize(("scheme", "width"), [("dark", 390), ("light", 1280)])
def test_an_answer_can_be_read_by_everybody(open_page, scheme, width):
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright",
        reason="needs axe-playwright-python: make browser",
    ).Axe()
    page = open_page(PAGE, scheme, width)
    planned(page, ".case-example")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    sizes = page.locator(".case-block svg").evaluate_all(
        "(all) => all.map((svg) => (svg.clientWidth / 360) * 12)"
    )
    assert min(sizes) >= 11
    found = axe.run(page, ".own-case").response
    serious = [
        (broken["id"], [node["html"][:200] for node in broken["nodes"]])
        for broken in found["violations"]
        if broken["impact"] in ("serious", "critical")
    ]
    assert serious == []


@pytest.mark.timed
def test_a_hundred_thousand_lines_take_less_than_ten_seconds(open_page):
    page = open_page(PAGE)
    log = gzip.compress(log_text(100_000, names=40, rate=3.0).encode())
    give(page, log=file_of("a.csv.gz", log))
    page.select_option("select[name=model]", "Llama-3.1-8B")
    planned(page)
    took = float(re.search(r"Done in ([\d.]+) s", said(page).inner_text())[1])
    assert took < 10
