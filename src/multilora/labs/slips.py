"""What a spec says: not attempted yet, or wrong and why."""

from multilora.labs.places import where


class NotAttemptedError(AssertionError):
    """The learner's function still returns nothing."""


class SlipError(AssertionError):
    """The function is wrong; the message names the slip."""


def require(condition: object, sentence: str) -> None:
    """Raise SlipError with the sentence unless the condition holds."""
    if not condition:
        raise SlipError(sentence)


def shape_slip(error: Exception, advice: str) -> SlipError:
    """Return the SlipError for numpy's error about shapes, with advice.

    Raises the error itself if it is about something else.
    """
    if not any(word in str(error) for word in _SHAPE_WORDS):
        raise error
    place = where(error)
    told = f"{error}, {place}" if place else error
    return SlipError(f"the shapes do not fit ({told}); {advice}")


_SHAPE_WORDS = ("shape", "dimension", "broadcast", "aligned", "operand")
