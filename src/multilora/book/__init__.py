"""A Sphinx extension: explorers without a kernel, quizzes, formulas.

    python -m multilora.book FOLDER

checks that every page of _toc.yml was built, and says which file to open.
"""


def setup(app):
    """Register with Sphinx; called by name from _config.yml."""
    from multilora.book import (
        autodoc,
        explorers,
        formulas,
        inpage,
        library,
        outputs,
        quizzes,
        symptoms,
        tables,
        theme,
    )

    for part in (
        autodoc,
        explorers,
        formulas,
        inpage,
        library,
        outputs,
        quizzes,
        symptoms,
        tables,
        theme,
    ):
        part.setup(app)
    # Frames are drawn while pages are read, on figures that are kept.
    return {"version": "2", "env_version": 6, "parallel_read_safe": False}
