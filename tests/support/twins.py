"""A draw whose frames are equal, with a sentence that would break a page."""

from multilora.figures.style import panels


def draw_twins(fig, one, two):
    panels(fig, {"title": "the same, whatever two is", "xlim": (0, one)})
    return f"</script><b>{one}</b> & {two}"
