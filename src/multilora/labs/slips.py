"""What a spec says: not attempted yet, or wrong and why."""


class NotAttemptedError(AssertionError):
    """The learner's function still returns nothing."""


class SlipError(AssertionError):
    """The function is wrong; the message names the slip."""


def require(condition, sentence):
    """Raise SlipError with the sentence unless the condition holds."""
    if not condition:
        raise SlipError(sentence)
