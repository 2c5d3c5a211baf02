"""Links of small books: what is broken is named, the rest is let be."""

import pytest

from multilora.book.links import broken_links
from multilora.book.markup import figure
from multilora.explore.explorer import Explorer


def draw(fig, load, model):
    return "A sentence."


def explorer():
    """An explorer as the book holds it: two axes, one of them of names."""
    live = Explorer.of(
        draw, {"load": [1.0, 0.5], "model": ["a b", "c"]},
        {"load": 1.0, "model": "c"},
    )  # fmt: skip
    markup = figure(live, [["p.svg", "A sentence."]] * 4, "pictures", "x")
    # Another table of the page, and white space, are none of its stops.
    markup = markup.replace("</script>", "</script>\n")
    return markup + '<script type="application/json">[1]</script>'


OTHER = (
    '<h1 id="Top-one">A</h1><h2 id="twice">B</h2><h3 id="twice">C</h3>'
    '<a name="old"></a><p id="naïve">D</p><p id="what?">E</p>'
    '<input name="field"><meta name="viewport">'
    '<template><p id="not-yet"></p></template><!-- <p id="gone"> -->'
    "<script>var x = '<p id=\"written\">'</script>"
)


@pytest.fixture
def book(tmp_path):
    """A folder of other.html, a page of pictures and files of odd names."""
    for name in ("deep/two words.html", "deep/a%b.html", "pictures/p.svg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text('<p id="here">', encoding="utf-8")
    (tmp_path / "other.html").write_text(OTHER, encoding="utf-8")
    (tmp_path / "shown.html").write_text(explorer(), encoding="utf-8")
    return tmp_path


def broken(book, markup):
    """Return what is broken once deep/page.html holds this markup."""
    page = book / "deep/page.html"
    page.write_text(f'<b id="own">x</b>{markup}', encoding="utf-8")
    return broken_links(book)


GOOD = [
    "../other.html", "two words.html", "two%20words.html#here", "a%25b.html",
    "../other.html#Top-one", "../other.html#twice", "../other.html#old",
    "../other.html#na%C3%AFve", "../other.html#naïve",
    "../other.html#what%3F", "../other.html#", "../other.html?v=3#twice",
    "#own", "#", "?q=1", "page.html#own", "../deep/./page.html",
    " ../other.html ", "../pictures/p.svg#layer",
    "../shown.html#explore-x", "../shown.html#explore-x?load=1",
    "../shown.html#explore-x?model=a+b&amp;load=0.5",
    "../shown.html#explore-x?model=a%20b",
    "https://example.org/none#x", "HTTP://example.org", "//example.org/x",
    "mailto:someone@example.org", "data:image/svg+xml;base64,AA==",
]  # fmt: skip
BAD = [
    "other.html", "../Other.html", "../other.htm", "../other.html/",
    "../pictures", "../pictures/", "..", "/other.html", "a%b%25.html",
    "../other.html#none", "../other.html#top-one", "../other.html#field",
    "../other.html#viewport", "../other.html#not-yet", "../other.html#gone",
    "../other.html#written", "../other.html#twice?rank=8", "#Own", "#here",
    "../shown.html#explore-y", "../shown.html#explore-x?load=2",
    "../shown.html#explore-x?loads=1", "../shown.html#explore-x?load=",
    "../shown.html#explore-x?load=c", "../shown.html#explore-x?load",
    "../shown.html#explore-x?model=a",
    "../shown.html#explore-x?load=1&model=d", "#explore-x?load=1",
    "../other.html#explore-x?load=1", "../../outside.html",
    "file:///etc/hostname", "https:other.html", "https:///other.html",
    "htps://example.org", "page.html:12", "http://[::1", "two\\words.html",
]  # fmt: skip


@pytest.mark.parametrize("link", GOOD)
def test_a_link_that_leads_somewhere_is_let_be(book, link):
    assert broken(book, f'<a href="{link}">x</a>') == []


@pytest.mark.parametrize("link", BAD)
def test_a_link_that_leads_nowhere_is_named(book, link):
    """A file outside the folder is not published with it."""
    (book.parent / "outside.html").write_text("x")
    found = broken(book, f'<a href="{link}">x</a>')
    assert found == [f"deep/page.html: {link}"]


@pytest.mark.parametrize(
    "markup",
    [
        '<img src="none.svg">', '<img src="none.svg"/>',
        '<link rel="stylesheet" href="none.svg">',
        '<script src="none.svg"></script>', '<A HREF="none.svg">x</A>',
        '<form action="none.svg"></form>', "<a href=none.svg>x</a>",
        '<meta http-equiv="Refresh" content="0; URL=none.svg">',
        "<meta http-equiv=refresh content=\"5;url='none.svg'\">",
        '</template><a href="none.svg">x</a>',
        '<template></template><a href="none.svg">x</a>',
        '<script>"x"</script><a href="none.svg">x</a>',
    ],
)  # fmt: skip
def test_whatever_a_browser_would_open_is_a_link(book, markup):
    assert broken(book, markup) == ["deep/page.html: none.svg"]


@pytest.mark.parametrize(
    "markup",
    [
        "<script>var x = '<a href=\"none.svg\">'</script>",
        '<script type="application/json">{"href": "none.svg"}</script>',
        '<template><a href="none.svg">x</a></template>',
        '<!-- <a href="none.svg">x</a> -->', "<a>x</a>", "<a href>x</a>",
        '<meta name="description" content="url=none.svg">',
        "&lt;a href=\"none.svg\"&gt;",
    ],
)  # fmt: skip
def test_what_no_reader_can_open_is_none(book, markup):
    assert broken(book, markup) == []


def test_each_broken_link_is_named_once_and_in_order(book):
    (book / "a.html").write_text('<a href="z.html"><a href="#b">')
    found = broken(book, '<a href="y"><a href="y#1"><img src="y">')
    assert found == [
        "a.html: #b", "a.html: z.html", "deep/page.html: y",
        "deep/page.html: y#1",
    ]  # fmt: skip


def test_templates_of_the_theme_are_no_pages(book):
    """Only at the top: a _static of a chapter is the book's own."""
    for folder in ("_static", "deep/_static"):
        (book / folder).mkdir()
        (book / folder / "webpack.html").write_text('<a href="{{ x }}">')
    assert broken(book, '<a href="../_static/webpack.html#any">') == [
        "deep/_static/webpack.html: {{ x }}"
    ]


def test_a_folder_without_pages_is_an_error(tmp_path):
    (tmp_path / "_static").mkdir()
    (tmp_path / "_static/webpack.html").write_text("x")
    for folder in (tmp_path, tmp_path / "absent", str(tmp_path)):
        with pytest.raises(ValueError, match="holds no page"):
            broken_links(folder)
