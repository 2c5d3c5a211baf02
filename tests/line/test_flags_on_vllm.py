"""The recorded arguments are those of this vLLM's own parser."""

import pytest

import serve_flags
from multilora.engine.quiet import prepare
from multilora.line.flags import read_flags
from multilora.published import published

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def parser():
    prepare()
    from vllm.entrypoints.launchers.cli_args import make_arg_parser
    from vllm.utils.argparse_utils import FlexibleArgumentParser

    return make_arg_parser(FlexibleArgumentParser())


def test_the_data_file_is_what_the_parser_says(parser):
    assert published("serve_flags") == serve_flags.content(), (
        "make serve-flags"
    )


@pytest.mark.parametrize(
    "line",
    [
        "--max_loras 4 --enable-lora --max-lora-rank=64 -tp 2 -pp=2",
        "--max-model-len 32k --max-num-batched-tokens 8K --max-num-seqs 7",
        "--max-model-len auto --gpu-mem 0.5 --no-enable-prefix-caching",
        "--lora-target-modules q_proj v_proj --kv-cache-dtype fp8 -q fp8",
        "--enforce-eager --fully-sharded-loras -ep --dtype float32",
        "--kv-cache-memory-bytes 10G --max-cpu-loras 9 --lora-dtype float16",
    ],
)
def test_lines_come_to_the_values_that_vllm_reads(parser, line):
    theirs = vars(parser.parse_args(line.split()))
    ours = read_flags(line.split()).values
    assert ours
    assert ours == {name: theirs[name] for name in ours}
