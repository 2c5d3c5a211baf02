"""A page of metrics: read from a file, or fetched from a server."""

from pathlib import Path

from multilora.arguments import shown
from multilora.serving.client import MAX_BODY_BYTES, Client
from multilora.serving.replies import CalibrationError
from multilora.watch.scrapes import Scrape, parse_scrape


def read_scrape(path: str | Path) -> Scrape:
    """Return the Scrape of a file that holds one page of /metrics.

    Raises ValueError for a file that cannot be read, is too large, is not
    UTF-8 text or no page of vLLM's metrics.
    """
    if not isinstance(path, str | Path) or "\0" in str(path) or not str(path):
        raise TypeError(f"path is {shown(path)}, but must be a file's name")
    name = f"path is {shown(str(path))}, which"
    try:
        with open(path, "rb") as file:
            content = file.read(MAX_BODY_BYTES + 1)
        if len(content) > MAX_BODY_BYTES:
            raise ValueError(f"{name} is larger than {MAX_BODY_BYTES:,} bytes")
        return parse_scrape(content.decode("utf-8"), f"path {shown(path)}")
    except OSError as error:
        raise ValueError(f"{name} cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise ValueError(
            f"{name} is not UTF-8 text: save what `curl` prints of /metrics"
        ) from None


def fetch_scrape(
    url: str, api_key: str | None = None, timeout_s: float = 10
) -> Scrape:
    """Return what the vLLM server at url says at /metrics now.

    Raises CalibrationError, with what to do, for a server that does not
    answer, asks for a key, or is not vLLM's.
    """
    client = Client(url, 1, 3600, timeout_s, api_key)
    answer = client.ask("/metrics")
    if answer.status in (401, 403):
        raise CalibrationError(
            f"the server at {client.url} answers {answer.status} to "
            "/metrics: it wants a key, by --api-key or VLLM_API_KEY"
        )
    if answer.status != 200:
        raise CalibrationError(
            f"the server at {client.url} answers {answer.status} to "
            "/metrics, not as vLLM's does: give the url of vLLM itself"
        )
    body = answer.body if isinstance(answer.body, str) else shown(answer.body)
    try:
        return parse_scrape(body, f"/metrics of {client.url}")
    except ValueError as error:
        raise CalibrationError(str(error)) from None
