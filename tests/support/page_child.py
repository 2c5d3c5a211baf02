"""What PagePython runs: reads calls, answers them, a line of JSON each."""

import importlib
import json
import sys


class Page:
    """Finds what a page has, and nothing else that is installed here."""

    def __init__(self, absent, here):
        self.absent = set(absent)
        self.here = {*here, *sys.stdlib_module_names}
        self.finders = [*sys.meta_path]

    def find_spec(self, name, path=None, target=None):
        if name in self.absent or name.partition(".")[0] not in self.here:
            return None
        found = (one.find_spec(name, path, target) for one in self.finders)
        return next(filter(None, found), None)


def answer(name, arguments):
    calls = importlib.import_module("page_calls")
    try:
        return {"value": getattr(calls, name)(**arguments)}
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}


if __name__ == "__main__":
    start = json.loads(sys.argv[1])
    sys.path[:0] = start["path"]
    sys.meta_path[:] = [Page(start["absent"], start["here"])]
    answers, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        print(json.dumps(answer(*json.loads(line))), file=answers, flush=True)
