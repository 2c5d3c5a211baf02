"""The names that loggers give their columns, and the formats we know.

Names are compared without case, spaces and signs: "Request tokens" and
request_tokens are one. A column within others is named with dots, as
usage.prompt_tokens is.
"""

import re
from collections.abc import Iterable

MAX_DEPTH = 5  # of objects within objects
# Where an empty field means that no adapter was asked for.
ADAPTER = (
    "adapter", "adaptername", "adapterid", "loraadapter", "lora", "loraname",
    "loraid", "lorarequestloraname", "lorarequestname",
)  # fmt: skip
TIMES = (
    "arrivaltime", "arrivedat", "arrival", "requesttime", "requestedat",
    "starttime", "startedat", "timestamp", "time", "ts", "datetime", "date",
    "created", "createdat",
)  # fmt: skip
UNITS = ("", "ms", "us", "ns", "s", "sec", "seconds", "unix", "unixnano")
# The likelier name first. Sources: the request and response fields of the
# OpenAI API, which vLLM serves; LiteLLM_SpendLogs in LiteLLM's schema.prisma;
# the traces BurstGPT, AzureLLMInferenceTrace, Mooncake and GenTD26.
KNOWN: tuple[tuple[str, ...], ...] = (
    (*(name + unit for name in TIMES for unit in UNITS), "seconds"),
    (
        *ADAPTER, "tenant", "tenantid", "tenantname", "customer",
        "customerid", "model", "modelname", "modelgroup", "modelid", "teamid",
        "teamalias", "team", "apikey", "apikeyalias", "user", "userid",
        "enduser", "clientid", "client",
    ),
    (
        "prompttokens", "numprompttokens", "inputtokens", "numinputtokens",
        "requesttokens", "contexttokens", "inputlength", "inputlen",
        "promptlen", "promptlength", "tokensin",
    ),
    (
        "completiontokens", "outputtokens", "numoutputtokens",
        "numcompletiontokens", "generationtokens", "numgenerationtokens",
        "responsetokens", "generatedtokens", "outputlength", "outputlen",
        "completionlen", "tokensout",
    ),
)  # fmt: skip
# Formats by columns that no other has, and the unit of times from 0.
FORMATS = (
    ("Mooncake", {"timestamp", "inputlength", "outputlength"}, "ms"),
    ("BurstGPT", {"timestamp", "requesttokens", "responsetokens"}, "s"),
    ("Azure", {"timestamp", "contexttokens", "generatedtokens"}, None),
    ("GenTD26", {"seconds", "user", "base", "adapter"}, "s"),
    ("LiteLLM", {"starttime", "prompttokens", "completiontokens"}, None),
    ("OpenAI", {"usageprompttokens", "usagecompletiontokens"}, None),
)


def plain(name: str) -> str:
    """Return a name without case, spaces and signs."""
    return re.sub(r"[\W_]", "", name).lower()


def known_format(names: Iterable[str]) -> tuple[str | None, str | None]:
    """Return (name of the format, unit of its times from 0) or None."""
    have = by_ending(names).keys()
    for name, needed, unit in FORMATS:
        if needed <= have:
            return name, unit
    return None, None


def is_adapter_column(name: str | None) -> bool:
    """True where an empty field means a request to the base model."""
    return name is not None and not by_ending([name]).keys().isdisjoint(
        ADAPTER
    )


def by_ending(names: Iterable[str]) -> dict[str, str]:
    """Return {plain name, or plain end of one with dots: that name}.

    Of several the one that is least deep, then the first.
    """
    found: dict[str, str] = {}
    for name in sorted(names, key=lambda name: name.count(".")):
        parts = name.split(".")
        for start in range(max(0, len(parts) - MAX_DEPTH), len(parts)):
            found.setdefault(plain("".join(parts[start:])), name)
    return found
