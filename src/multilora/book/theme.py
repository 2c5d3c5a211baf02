"""What the theme does unasked, put right."""


def setup(app):
    app.connect("html-page-context", _drop_thebe, priority=900)


def _drop_thebe(app, pagename, templatename, context, doctree):
    """Leave out sphinx-thebe, which the theme's book loads twice unasked."""
    for key in ("script_files", "css_files"):
        context[key] = [
            item
            for item in context.get(key, [])
            if "thebe" not in str(getattr(item, "filename", item) or "")
            and "THEBE" not in str(getattr(item, "attributes", ""))
        ]
