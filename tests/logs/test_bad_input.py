"""Wrong arguments of the readers of logs work or are named."""

from pathlib import Path
from tempfile import mkdtemp

from bad_input import each_wrong_value
from multilora.logs import columns, read, times, unpacked

LOG = Path(mkdtemp()) / "log.csv"
LOG.write_text("time,model,prompt_tokens,output_tokens\n5,a,1,1\n")
GOOD = {
    read.read_log: (LOG, columns.Columns(), "s", 5, 5, ["a"], "salt"),
    columns.check_columns: (columns.Columns(),),
    times.check_unit: ("s",),
    unpacked.unpacked_bytes: (LOG, 100),
}

test_each_wrong_value_works_or_is_named = each_wrong_value(GOOD)
