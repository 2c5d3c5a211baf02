"""What the theme does unasked, put right."""

import re

from multilora.book.names import breakable

NAME = re.compile(
    r'(<span class="pre">|<a class="reference external" [^>]*>)'
    r"([^<\s]*)(</span>|</a>)"
)
LIST = '<div role="list" class="citation-list">'
ICON_SCRIPT = re.compile(r"<script[^>]*fontawesome[^>]*></script>")


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
    context["without_icon_script"] = without_icon_script


def without_icon_script(head):
    """Return a page's head without Font Awesome's script.

    book/templates/layout.html calls it: the theme brings the icons as a
    font and, ten times as heavy, as a script for icons of one's own.
    """
    return ICON_SCRIPT.sub("", head)


def _mend_body(app, pagename, templatename, context, doctree):
    if "body" in context:
        body = NAME.sub(_breakable, context["body"])
        # A list by its role, yet none of its entries is an item by theirs.
        context["body"] = body.replace(LIST, LIST.replace(' role="list"', ""))


def _breakable(match):
    before, name, after = match.groups()
    return before + breakable(name) + after
