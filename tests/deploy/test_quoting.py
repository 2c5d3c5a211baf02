"""Any text stays where it was put: a comment, a shell, YAML, a name."""

import re
import subprocess

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from multilora.deploy.quoting import (
    comment,
    counted,
    dns_name,
    one_line,
    shell_lines,
)
from multilora.deploy.yaml_files import yaml_text

TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@given(name=TEXT, room=st.integers(1, 99))
def test_one_line_is_one_line_of_ascii(name, room):
    shown = one_line(name, room)
    assert shown.isascii()
    assert shown.isprintable()
    assert len(shown) <= room + 3


@given(name=TEXT)
def test_a_comment_has_nothing_but_comments(name):
    lines = comment([f"about {one_line(name)}", "more"]).splitlines()
    assert all(line.startswith("#") for line in lines)


@given(name=TEXT, room=st.integers(1, 63))
def test_a_label_is_one_that_kubernetes_takes(name, room):
    assert re.fullmatch(r"[a-z]([-a-z0-9]*[a-z0-9])?", dns_name(name, room))
    assert len(dns_name(name, room)) <= room


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("Qwen2.5-7B-Instruct", "qwen2-5-7b-instruct"),
        ("3-Café!", "cafe"),
        ("模型", "model"),
    ],
)
def test_labels_of_models(name, label):
    assert dns_name(name) == label


WORDS = st.lists(
    st.lists(TEXT.map(lambda text: text.replace("\0", "")), min_size=1),
    min_size=1,
)


def test_a_shell_reads_each_word_back():
    """One shell for many words: it is the shell that takes the time."""
    examples = []
    given(groups=WORDS)(lambda groups: examples.extend(groups))()
    groups = [["printf", "%s\\0"], *examples]
    said = subprocess.run(
        ["/bin/sh"], input=shell_lines(groups).encode(),
        capture_output=True, check=True,
    ).stdout  # fmt: skip
    assert said.decode().split("\0")[:-1] == [
        word for group in examples for word in group
    ]


@given(name=TEXT)
def test_yaml_gives_each_text_back_as_text(name):
    text = yaml_text([{"a": [name, {"b": name}]}, {"c": f"{name}\nx"}])
    assert text.isascii()
    assert list(yaml.safe_load_all(text)) == [
        {"a": [name, {"b": name}]},
        {"c": f"{name}\nx"},
    ]


@pytest.mark.parametrize("name", ["1e3", "0o17", "y", "N", ".5e1", "-1_0"])
def test_what_other_readers_take_for_a_number_is_quoted(name):
    assert yaml_text([{"a": name}]) == f"a: '{name}'\n"


def test_nouns_follow_their_number():
    assert [counted(n, "GPU") for n in (0, 1, 1200)] == [
        "0 GPUs", "1 GPU", "1,200 GPUs",
    ]  # fmt: skip
