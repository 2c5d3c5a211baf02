"""What a spec says: not attempted yet, or wrong and why."""


class NotAttemptedError(AssertionError):
    """The learner's function still returns nothing."""


class SlipError(AssertionError):
    """The function is wrong; the message names the slip."""


def require(condition, sentence):
    """Raise SlipError with the sentence unless the condition holds."""
    if not condition:
        raise SlipError(sentence)


def is_about_shapes(error):
    """True for numpy's errors about operands that do not fit."""
    said = str(error)
    return any(word in said for word in _SHAPE_WORDS)


_SHAPE_WORDS = ("shape", "dimension", "broadcast", "aligned", "operand")
