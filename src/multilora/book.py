"""A Sphinx extension: MathML formulas and pages without console errors.

    python -m multilora.book FOLDER

checks that every page of _toc.yml was built, and says which file to open.
"""

import html
import sys
from pathlib import Path

import yaml
from docutils.nodes import SkipNode
from latex2mathml.converter import convert


def setup(app):
    """Register with Sphinx; called by name from _config.yml."""
    app.add_html_math_renderer(
        "mathml",
        inline_renderers=(_inline, None),
        block_renderers=(_block, None),
    )
    app.connect("html-page-context", _drop_thebe, priority=900)
    return {"version": "1", "parallel_read_safe": True}


def _inline(visitor, node):
    visitor.body.append(_mathml(node, "inline"))
    raise SkipNode


def _block(visitor, node):
    visitor.body.append(f"<div>{_mathml(node, 'block')}</div>")
    raise SkipNode


def _mathml(node, kind):
    latex = node.astext()
    mathml = convert(latex, display=kind)
    return mathml.replace(
        "<math ", f'<math alttext="{html.escape(latex)}" ', 1
    )


def _drop_thebe(app, pagename, templatename, context, doctree):
    """Leave out sphinx-thebe, which the theme's book loads twice unasked."""
    for key in ("script_files", "css_files"):
        context[key] = [
            item
            for item in context.get(key, [])
            if "thebe" not in str(getattr(item, "filename", item) or "")
            and "THEBE" not in str(getattr(item, "attributes", ""))
        ]


def pages_of(toc):
    """Return the pages that a _toc.yml lists, as paths without suffix."""
    parts = toc.get("parts", [])
    return [toc["root"]] + [
        chapter["file"] for part in parts for chapter in part["chapters"]
    ]


def main(folder):
    """Exit with the names of the pages that are missing or empty."""
    toc = yaml.safe_load((Path(folder) / "_toc.yml").read_text("utf-8"))
    built = Path(folder).resolve() / "_build/html"
    files = [built / f"{page}.html" for page in ("index", *pages_of(toc))]
    missing = [
        str(file.relative_to(built))
        for file in files
        if not file.is_file() or not file.stat().st_size
    ]
    if missing:
        sys.exit(f"not built: {', '.join(missing)}")
    print(f"{len(files)} pages built. Open {files[0]}")


if __name__ == "__main__":
    main(sys.argv[1])
