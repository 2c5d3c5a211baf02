"""Which engine computes: numba where it is installed and worth its start."""

from importlib.util import find_spec

from multilora.arguments import choice

ENGINES = ("auto", "plain", "numba")
# Importing numba and its compiled code takes about half a second, the first
# time ever two; below these sizes the plain engine has answered by then.
WORTH_REQUESTS = 300_000


def has_numba() -> bool:
    """True where the extra `fast` is installed."""
    return find_spec("numba") is not None


def use_numba(
    engine: str, num_requests: float, worth: float = WORTH_REQUESTS
) -> bool:
    """Return whether to compute with numba; both engines give equal results.

    engine is "plain" (numpy or Python), "numba", or "auto": numba where it
    is installed and num_requests is at least `worth`. Raises ValueError for
    another name, ModuleNotFoundError for "numba" without numba.
    """
    engine = choice("engine", engine, ENGINES)
    if engine == "numba" and not has_numba():
        raise ModuleNotFoundError(
            "engine is 'numba', but numba is not installed: "
            "pip install -e '.[fast]', or engine='plain'"
        )
    if engine == "auto":
        return num_requests >= worth and has_numba()
    return engine == "numba"
