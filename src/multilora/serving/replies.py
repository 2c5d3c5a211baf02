"""What a vLLM server answers, read with suspicion."""

import json

from multilora.arguments import integer, printable, shown


class CalibrationError(RuntimeError):
    """A server cannot be measured; the message says what to do."""


class LateError(CalibrationError):
    """The time was over before the server had answered."""


def refusal(model: str, status: int, told: object) -> str:
    """Return a sentence for a completion that was refused."""
    return (
        f"the server answers {status} to a request for {model!r} "
        f"({message_of(told)}): it must serve it, and take the whole range "
        "of prompt_tokens and output_tokens"
    )


def message_of(body: object) -> str:
    """Return what an error of the API says, shortened."""
    if isinstance(body, dict):
        error = body.get("error", body)
        if isinstance(error, dict) and isinstance(error.get("message"), str):
            return printable(error["message"][:200])
    return shown(body)


def tokens_so_far(line: bytes, num: int) -> int:
    """Return the tokens that a line of a stream brings the count to.

    Raises CalibrationError for a line that is no part of a completion.
    """
    try:
        chunk = json.loads(line.removeprefix(b"data:"))
        usage, choices = chunk.get("usage"), chunk["choices"]
        so_far = usage["completion_tokens"] if usage else num + len(choices)
        return integer("completion_tokens", so_far, num)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise CalibrationError(
            f"the server's stream holds {shown(line)}, which is no part of a "
            "completion: is it vLLM's OpenAI server, without a proxy?"
        ) from None


def decoded(body: bytes) -> object:
    """Return a body as JSON or, where it is none, as text."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return body.decode("utf-8", errors="replace")
