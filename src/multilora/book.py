"""A Sphinx extension: MathML formulas and pages without console errors."""

import html

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
    raise _skip()


def _block(visitor, node):
    visitor.body.append(f"<div>{_mathml(node, 'block')}</div>")
    raise _skip()


def _mathml(node, kind):
    latex = node.astext()
    mathml = convert(latex, display=kind)
    return mathml.replace(
        "<math ", f'<math alttext="{html.escape(latex)}" ', 1
    )


def _skip():
    from docutils.nodes import SkipNode

    return SkipNode()


def _drop_thebe(app, pagename, templatename, context, doctree):
    """Leave out sphinx-thebe, which the theme's book loads twice unasked."""
    for key in ("script_files", "css_files"):
        context[key] = [
            item
            for item in context.get(key, [])
            if "thebe" not in str(getattr(item, "filename", item) or "")
            and "THEBE" not in str(getattr(item, "attributes", ""))
        ]
