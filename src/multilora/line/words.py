"""The words of a line that starts vLLM, as a shell would split it."""

import re
import shlex
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from multilora.arguments import shown, text

MAX_LETTERS = 1_000_000  # thousands of --lora-modules
_FORM = "must be like 'vllm serve MODEL --max-loras 8'"
_VARIABLE = re.compile(r"([A-Za-z_]\w*)=(.*)", re.S)
# What ends a command in a shell, where it stands alone or goes first.
_ENDS = re.compile(r"(\||&|;|[0-9]?>|<|#).*", re.S)
_MODULES = (
    "vllm.entrypoints.openai.api_server",
    "vllm.entrypoints.launchers.api_server.entry",
    "vllm.entrypoints.cli.main",
)
# Options of `docker run` without a value; all others take one.
_DOCKER_ALONE = re.compile(
    r"-[ditPq]+|--(rm|detach|interactive|tty|privileged|init|read-only|quiet"
    r"|no-healthcheck|publish-all|oom-kill-disable|sig-proxy)"
)
_DOCKER_ENVIRONMENT = ("-e", "--env")


class ServeWords(NamedTuple):
    """The arguments of vLLM's server, and the environment set before it."""

    arguments: tuple[str, ...]
    environment: Mapping[str, str]


def serve_words(line: str) -> ServeWords:
    """Return the ServeWords of a line that starts vLLM's server.

    It may be `vllm serve …`, `python -m vllm.entrypoints.openai.api_server
    …`, either behind variables (`VLLM_X=1 vllm serve`), another program
    (`uv run`) or within `bash -c "…"`, and `docker run … IMAGE …`, of which
    what follows the image is taken. What a shell would send elsewhere (`| tee
    log`) is left out.
    Raises ValueError for a line that is empty, too long, has an open quote
    or starts nothing of vLLM.
    """
    words = _split(text("line", line))
    environment = _variables(words)
    start = _start(words)
    if start is None:
        for word in words:  # bash -c "vllm serve …"
            if re.search(r"vllm\s+serve\s", word) and word != line:
                return serve_words(word)
        raise ValueError(f"line is {shown(line.strip())}, but {_FORM}")
    found = list(words[start:])
    if _is_docker(words[:start]):
        environment |= _docker_environment(words[:start])
        again = _start(found)
        environment |= _variables(found[:again])
        found = found[again or 0 :]
    return ServeWords(tuple(_until_the_end(found)), environment)


def _split(line):
    if len(line) > MAX_LETTERS:
        raise ValueError(
            f"line has {len(line):,} letters, but must have at most "
            f"{MAX_LETTERS:,}"
        )
    joined = re.sub(r"\\[ \t]*\r?(\n|$)", " ", line)
    try:
        words = shlex.split(joined)
    except ValueError as error:
        raise ValueError(
            f"line is {shown(line.strip())}, in which a quote or a backslash "
            f"is left open ({error})"
        ) from None
    if not words:
        raise ValueError(f"line is empty, but {_FORM}")
    return words


def _variables(words):
    """The variables that are set before the program."""
    pairs = (_VARIABLE.fullmatch(word) for word in words[: _program(words)])
    return {pair[1]: pair[2] for pair in pairs if pair}


def _program(words: Sequence[str]) -> int:
    """Where the program stands, behind variables and what sets them."""
    for place, word in enumerate(words):
        is_before = word in ("env", "export", "sudo", "exec", "$", "&&", "-E")
        if not is_before and not _VARIABLE.fullmatch(word):
            return place
    return len(words)


def _start(words: Sequence[str]) -> int | None:
    """Where the server's arguments begin, or None."""
    program = _program(words)
    if _is_docker(words):
        return _after_image(words, program)
    for place, word in enumerate(words[:-1]):
        if word.rsplit("/", 1)[-1] == "vllm" and words[place + 1] == "serve":
            return place + 2
        if word == "-m" and words[place + 1] in _MODULES:
            is_command = words[place + 1].endswith("cli.main")
            return place + 2 + is_command
    if words[program : program + 1] == ["serve"]:
        return program + 1
    return None


def _is_docker(words: Sequence[str]) -> bool:
    program, *rest = [*words[_program(words) :], ""]
    name = program.rsplit("/", 1)[-1]
    return name in ("docker", "podman", "nerdctl") and "run" in rest


def _after_image(words, program):
    place = words.index("run", program) + 1
    while place < len(words):
        word = words[place]
        if not word.startswith("-"):
            return place + 1
        is_alone = "=" in word or _DOCKER_ALONE.fullmatch(word)
        place += 1 if is_alone else 2
    raise ValueError("line runs a container, but names no image")


def _docker_environment(words):
    found = {}
    for option, value in pairwise(words):
        if option in _DOCKER_ENVIRONMENT and (
            pair := _VARIABLE.fullmatch(value)
        ):
            found[pair[1]] = pair[2]
    return found


def _until_the_end(words):
    for word in words:
        if _ENDS.fullmatch(word):
            return
        if word[:1] in "–—":
            raise ValueError(
                f"line holds {shown(word)}, which begins with a dash that is "
                "no hyphen: type --"
            )
        if word.endswith(";"):
            yield word.rstrip(";")
            return
        yield word
