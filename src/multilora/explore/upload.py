"""A log that a reader brings: a button, and the Log of what was chosen."""

import tempfile
from pathlib import Path

import ipywidgets as widgets
from IPython.display import display

from multilora.arguments import shown
from multilora.cli.show import plain
from multilora.logs.read import Log, example_log_path, read_log
from multilora.logs.unpacked import MAX_BYTES, unpacked_bytes

ENDINGS = ".csv,.tsv,.txt,.log,.json,.jsonl,.ndjson,.gz"
WAITING = "No log was uploaded: the example log is used."


def log_upload() -> widgets.FileUpload:
    """Show a button that takes a log, and return it for log_of.

    What is stored in a notebook is one sentence, not the button.
    """
    upload = widgets.FileUpload(
        accept=ENDINGS, multiple=False, description="Your log"
    )
    bundle = upload._repr_mimebundle_()
    bundle["text/plain"] = WAITING
    display(bundle, raw=True)
    return upload


def log_of(upload: widgets.FileUpload, **options: object) -> Log:
    """Return the Log that was uploaded, or else the example.

    options are those of read_log, for a log whose columns have other names.
    A file that read_log does not take, or that names no tenant, is told in
    one printed sentence, and the example is returned. Raises TypeError for
    another object than log_upload's button and for an option of no such
    name.
    """
    if not isinstance(upload, widgets.FileUpload):
        raise TypeError(
            f"upload is {shown(upload)}, but must be the button of "
            "log_upload()"
        )
    if upload.value:
        chosen = upload.value[-1]
        try:
            return _read(chosen["name"], bytes(chosen["content"]), options)
        except (ValueError, OSError, MemoryError, RecursionError) as error:
            reason = str(error).rstrip(".") or type(error).__name__
            print(plain(f"{reason}. The example log is used.", False))
    return read_log(example_log_path())


def _read(name, content, options):
    called = f"upload is {shown(name)}"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "log")
        path.write_bytes(content)
        if unpacked_bytes(path, MAX_BYTES) > MAX_BYTES:
            raise ValueError(
                f"{called}: it holds more than {MAX_BYTES // 2**20} MiB of "
                "text; give `multilora plan` the file in a shell"
            )
        try:
            log = read_log(path, **options)
        except ValueError as error:
            # Source's words for the file, whose path is of no use here.
            said = str(error).replace(f"path is {shown(str(path))}", called)
            raise ValueError(said) from None
    if not log.tenants:
        raise ValueError(f"{called}: every request in it is of the base")
    return log
