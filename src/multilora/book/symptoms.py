"""Rows of the operator's table on another page, in a few words each.

    ```{symptoms} deferral gap
    ```

names rows of data/symptoms.json: what one sees, and what to change first.
"""

from importlib.resources import files

from sphinx.util.docutils import SphinxDirective

from multilora.watch.symptoms import symptom

DATA = files("multilora").joinpath("data/symptoms.json")


def setup(app):
    app.add_directive("symptoms", SymptomsDirective)


class SymptomsDirective(SphinxDirective):
    """Puts the rows of these keys on a page, as a table of two columns."""

    required_arguments = 1
    final_argument_whitespace = True

    def run(self):
        self.env.note_dependency(str(DATA))
        try:
            text = symptoms_text(self.arguments[0].split())
        except ValueError as error:
            raise self.error(str(error)) from None
        return self.parse_text_to_nodes(text)


def symptoms_text(keys):
    """Return the Markdown of a table of these rows, in this order.

    Raises ValueError for a key that the operator's table lacks.
    """
    rows = [f"| {row.symptom} | {row.short} |" for row in map(symptom, keys)]
    return "\n".join(["| you see | change |", "|---|---|", *rows])
