"""Settings and parts of pictures made of boxes."""

from matplotlib.patches import Rectangle

from multilora.figures import style

LETTERS = "abcde"  # what tenants and their adapters are called
FONT_SIZE = 11.5  # at 390 px the letters in the boxes are still legible


def bare(title, xlim, ylim):
    """Return settings of axes that carry boxes, not values.

    Without tick labels they need no margin, so they take the whole figure
    below the title: on a phone every pixel of a letter counts.
    """
    return {"title": title, "xlim": xlim, "ylim": ylim, "grid": None,
            "xticks": [], "yticks": [], "frame_on": False,
            "position": (0.03, 0.03, 0.94, 0.87)}  # fmt: skip


def box(axes, corner, size, color, text):
    """Draw a box with a name in it; without one, an empty place."""
    is_empty = not text
    axes.add_patch(Rectangle(
        corner, *size, facecolor="none" if is_empty else color, alpha=1,
        edgecolor=style.PALE if is_empty else color, lw=1,
    ))  # fmt: skip
    center = [at + side / 2 for at, side in zip(corner, size, strict=True)]
    axes.text(*center, text, ha="center", va="center", color="#ffffff",
              fontsize=FONT_SIZE, fontweight="bold")  # fmt: skip


def counted(number, noun):
    """Return a number with its noun: '1 hit', '2 hits'."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
