"""Lines as people have them: shells, containers, variables, quotes."""

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multilora.line.words import MAX_LETTERS, serve_words

M = ("M", "-tp", "2")
LINES = [
    "vllm serve M -tp 2",
    "  vllm   serve M\t-tp 2  ",
    "vllm serve M \\\n  -tp \\\r\n 2",
    "vllm serve M \\  \n  -tp 2 \\",
    "$ vllm serve M -tp 2",
    "/opt/venv/bin/vllm serve M -tp 2",
    "uv run vllm serve M -tp 2",
    "nohup vllm serve M -tp 2 > log 2>&1 &",
    "vllm serve M -tp 2 2>&1 | tee log",
    "vllm serve M -tp 2; echo done",
    "vllm serve M -tp 2 && echo done",
    "vllm serve M -tp 2 # two GPUs",
    "serve M -tp 2",
    "python3 -m vllm.entrypoints.openai.api_server M -tp 2",
    "python -m vllm.entrypoints.cli.main serve M -tp 2",
    "bash -c 'vllm serve M -tp 2'",
    "docker run vllm/vllm-openai:latest M -tp 2",
    "docker run --runtime nvidia --gpus all -v ~/.cache:/root/.cache "
    "-p 8000:8000 --ipc=host vllm/vllm-openai:v0.11 M -tp 2",
    "sudo docker run -it --rm -d vllm/vllm-openai vllm serve M -tp 2",
    "podman run --name vllm ghcr.io/x/y@sha256:0 serve M -tp 2",
]


@pytest.mark.parametrize("line", LINES)
def test_each_form_comes_to_the_same_arguments(line):
    assert serve_words(line).arguments == M


@pytest.mark.parametrize(
    ("line", "variables"),
    [
        ("A=1 B='x y' vllm serve M", {"A": "1", "B": "x y"}),
        ("export A=1 && vllm serve M", {"A": "1"}),
        ("env A=1 vllm serve M", {"A": "1"}),
        ("docker run -e A=1 --env B=2 i --model M", {"A": "1", "B": "2"}),
        ("vllm serve M", {}),
    ],
)
def test_variables_before_the_program_are_the_environment(line, variables):
    assert serve_words(line).environment == variables


@given(
    st.lists(
        st.text(
            st.characters(blacklist_categories=("Cs",)), min_size=1
        ).filter(lambda word: word[0].isalnum() and not word.endswith(";")),
        max_size=6,
    )
)
def test_words_that_a_shell_quotes_come_back_as_they_were(words):
    """No letter of a quoted value ends the line or splits it."""
    words = [word.replace("\\", "/") for word in words]
    if any(word[1:2] == ">" for word in words):
        return  # 2> sends elsewhere, quoted or not
    line = shlex.join(["vllm", "serve", *words])
    assert serve_words(line).arguments == tuple(words)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("", "line is empty"),
        (" \n\t", "line is empty"),
        ("\\", "line is empty"),
        ("vllm serve 'M", "a quote or a backslash is left open"),
        ('vllm serve "M', "a quote or a backslash is left open"),
        ("ls", "line is 'ls', but must be like 'vllm serve MODEL"),
        ("vllm bench serve", "but must be like"),
        ("docker run -d", "names no image"),
        ("vllm serve M —max-loras 3", "a dash that is no hyphen"),
        ("vllm serve M " + "x" * 2**20, "line has 1,048,589 letters"),
        ("x" * (MAX_LETTERS + 1), "at most 1,000,000"),
    ],
)
def test_what_starts_no_server_is_one_sentence(line, sentence):
    with pytest.raises(ValueError, match=sentence):
        serve_words(line)
