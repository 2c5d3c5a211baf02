"""Formulas as MathML: no script, no CDN, works offline."""

import html

from docutils.nodes import SkipNode
from latex2mathml.converter import convert


def setup(app):
    app.add_html_math_renderer(
        "mathml",
        inline_renderers=(_inline, None),
        block_renderers=(_block, None),
    )


def _inline(visitor, node):
    visitor.body.append(_mathml(node, "inline"))
    raise SkipNode


def _block(visitor, node):
    mathml = _mathml(node, "block")
    visitor.body.append(f'<div class="formula">{mathml}</div>')
    raise SkipNode


def _mathml(node, kind):
    latex = node.astext()
    mathml = convert(latex, display=kind)
    return mathml.replace(
        "<math ", f'<math alttext="{html.escape(latex)}" ', 1
    )
