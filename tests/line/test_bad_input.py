"""Wrong arguments of a line's readers work or are named."""

from bad_input import each_wrong_value
from multilora.line import fit, flags, read, words
from multilora.models.shipped import model_shape

LLAMA = model_shape("Llama-3.1-8B")
LINE = read.serve_line("vllm serve M")
GOOD = {
    words.serve_words: ("vllm serve M",),
    flags.read_flags: (["--max-loras", "3"],),
    flags.near_flag: ("--max-loraz",),
    read.serve_line: ("vllm serve M", "0.32.0"),
    fit.fit: (LINE, LLAMA, 80, [512]),
}

test_each_wrong_value_works_or_is_named = each_wrong_value(GOOD)
