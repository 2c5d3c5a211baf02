"""The fields of a log's rows, checked one by one and kept in arrays."""

from array import array
from collections.abc import Iterable
from typing import Any

from multilora.logs.columns import Columns
from multilora.logs.names import is_adapter_column
from multilora.logs.tally import Tally
from multilora.logs.times import read_time
from multilora.traffic.lengths import MAX_TOKENS

MAX_REQUESTS = 2 * 10**7
MAX_NAME = 1_024  # characters
BASE = -1
ONE_TENANT = "all"
WORDS = ("prompt", "output")
# What loggers write where a request names no adapter.
NO_ADAPTER = (None, "", "None", "null", "-1", -1)


class Fields:
    """Numbers of the rows that can be read, and the names of the tenants.

    Arrays, one entry a row: number and is_iso of read_time, the line, the
    tenant's place in names (BASE for the base model), and tokens. A default
    stands for a field of tokens that is empty; num_defaults counts those.
    """

    def __init__(
        self,
        columns: Columns,
        defaults: tuple[int | None, int | None],
        base_names: Iterable[str],
        tally: Tally,
    ) -> None:
        self.numbers, self.is_iso = array("d"), array("b")
        self.lines, self.ids = array("q"), array("i")
        self.prompts, self.outputs = array("i"), array("i")
        self.names: list[str] = []
        self.num_defaults = [0, 0]
        self._columns = columns
        self.defaults = defaults
        self._tally = tally
        self._id_of: dict[Any, int] = dict.fromkeys(base_names, BASE)
        if columns.tenant is None:
            self._id_of |= {None: 0, "": 0}
            self.names.append(ONE_TENANT)
        elif is_adapter_column(columns.tenant):
            self._id_of |= dict.fromkeys(NO_ADAPTER, BASE)

    def add(
        self, line: int, time: Any, tenant: Any, prompt: Any, output: Any
    ) -> None:
        """Keep a row of four fields as they were read, or count why not."""
        moment = read_time(time)
        if moment is None:
            empty = time is None or time == ""
            why = "no time" if empty else "a time that is no time"
            self._tally.add(why, line)
            return
        is_known = tenant is None or type(tenant) is str or type(tenant) is int
        adapter_id = self._id_of.get(tenant) if is_known else None
        if adapter_id is None:
            adapter_id = self._new_id(tenant, line)
            if adapter_id is None:
                return
        num_prompt = self._tokens(prompt, 0, line)
        if num_prompt is None:
            return
        num_output = self._tokens(output, 1, line)
        if num_output is None:
            return
        number, is_iso = moment
        self.numbers.append(number)
        self.is_iso.append(is_iso)
        self.lines.append(line)
        self.ids.append(adapter_id)
        self.prompts.append(num_prompt)
        self.outputs.append(num_output)
        if len(self.lines) > MAX_REQUESTS:
            raise ValueError(
                f"path holds over {MAX_REQUESTS:,} requests, the most that "
                "are read: cut the log, by day for example"
            )

    def _new_id(self, tenant, line):
        """Return the id of a tenant not seen in this form, None if wrong."""
        if type(tenant) is not str and type(tenant) is not int:
            self._tally.add("no tenant", line)
            return None
        name = str(tenant).strip()
        if not name.isascii():
            # A lone surrogate, which JSON can hold, cannot be printed.
            name = name.encode("utf-8", "replace").decode()
        if not name and name not in self._id_of:
            self._tally.add("no tenant", line)
            return None
        if len(name) > MAX_NAME:
            self._tally.add(f"a tenant of over {MAX_NAME:,} letters", line)
            return None
        adapter_id = self._id_of.get(name)
        if adapter_id is None:
            adapter_id = self._id_of[name] = len(self.names)
            self.names.append(name)
        self._id_of[tenant] = adapter_id
        return adapter_id

    def _tokens(self, value, which, line):
        """Return a number of tokens, None if there is none."""
        if value is None or value == "":
            num = self.defaults[which]
            if num is None:
                self._tally.add(f"no {WORDS[which]} tokens", line)
                return None
            self.num_defaults[which] += 1
        else:
            num = _whole(value)
        if 1 <= num <= MAX_TOKENS:
            return num
        what = "0" if num == 0 else "a wrong number of"
        self._tally.add(f"{what} {WORDS[which]} tokens", line)
        return None


def _whole(value):
    """Return the whole number that a field holds, -1 for none."""
    if type(value) is int:
        return value
    if type(value) is not float and (type(value) is not str or "_" in value):
        return -1
    try:
        number = float(value)
    except ValueError:
        return -1
    return int(number) if number.is_integer() else -1
