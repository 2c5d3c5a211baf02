"""What the theme does unasked, put right."""

import re

from multilora.book.names import breakable

NAME = re.compile(
    r'(<span class="pre">|<a class="reference external" [^>]*>)'
    r"([^<\s]*)(</span>|</a>)"
)
LIST = '<div role="list" class="citation-list">'
# The icons of a font once more, ten times as heavy, and what only the page of
# the search needs while nothing is searched as one types.
UNUSED_SCRIPT = re.compile(
    r"<script[^>]*(fontawesome|searchtools|language_data|searchindex)"
    r"[^>]*></script>"
)


def setup(app):
    app.connect("html-page-context", _drop_thebe, priority=900)
    app.connect("html-page-context", _offer_filter)
    app.connect("html-page-context", _mend_body)


def _drop_thebe(app, pagename, templatename, context, doctree):
    """Leave out sphinx-thebe, which the theme's book loads twice unasked."""
    for key in ("script_files", "css_files"):
        context[key] = [
            item
            for item in context.get(key, [])
            if "thebe" not in str(getattr(item, "filename", item) or "")
            and "THEBE" not in str(getattr(item, "attributes", ""))
        ]


def _offer_filter(app, pagename, templatename, context, doctree):
    context["without_unused_scripts"] = without_unused_scripts


def without_unused_scripts(head):
    """Return a page's head without the scripts that no page of ours uses.

    book/templates/layout.html calls it. The page of the search brings its
    scripts in another part of the page.
    """
    return UNUSED_SCRIPT.sub("", head)


def _mend_body(app, pagename, templatename, context, doctree):
    if "body" in context:
        body = NAME.sub(_breakable, context["body"])
        # A list by its role, yet none of its entries is an item by theirs.
        context["body"] = body.replace(LIST, LIST.replace(' role="list"', ""))


def _breakable(match):
    before, name, after = match.groups()
    return before + breakable(name) + after
