"""Values as text: bytes in KiB, MiB and GiB, shares, a slider's stops."""

from multilora.arguments import finite_number

KIB = 2**10
MIB = 2**20
GIB = 2**30

# The unit after a value, by the name of the argument that takes it.
UNIT_OF = {
    "card_gib": "GiB",
    "engines": "engine",
    "hot_every": "step",
    "hot_load": "engine",
    "load": "request/s",
    "max_cpu_loras": "adapter",
    "max_loras": "slot",
    "newcomer_at": "of 4",
    "noticed_s": "s",
    "num_adapters": "adapter",
    "rate": "request/s",
    "replicas": "engine",
    "rows": "row",
    "scrape_ms": "ms",
    "sessions": "session",
    "slo_ms": "ms",
    "slots": "slot",
    "spread_hours": "h",
    "tenants": "tenant",
}
COUNTED = {"adapter", "engine", "row", "session", "slot", "step", "tenant"}


def mib(num_bytes: float) -> float:
    """Return a number of bytes in MiB (2**20 bytes), as a float."""
    return finite_number("num_bytes", num_bytes) / MIB


def gib(num_bytes: float) -> float:
    """Return a number of bytes in GiB (2**30 bytes), as a float."""
    return finite_number("num_bytes", num_bytes) / GIB


def format_bytes(num_bytes: float) -> str:
    """Return a number of bytes as text in its largest binary unit.

    33_554_432 gives "32.0 MiB"; below 1 KiB whole bytes are shown.
    """
    size = finite_number("num_bytes", num_bytes)
    for unit, name in ((GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")):
        if abs(size) >= 0.999995 * unit:  # 1,023.999 KiB reads 1.0 MiB
            return f"{size / unit:,.2f} {name}".replace(".00 ", ".0 ")
    return f"{size:,.0f} B"


def percent(share: float, digits: int = 1) -> str:
    """Return a share of 1 as text, the way this book writes it: '65.6 %'."""
    return f"{100 * share:.{digits}f} %"


def value_text(axis: str, stop: str | float) -> str:
    """Return a value of an argument with its unit: '8 slots', 'zipf'."""
    text = str(stop)
    if isinstance(stop, int | float):
        text = f"{stop:,}" if isinstance(stop, int) else f"{stop:g}"
    unit = UNIT_OF.get(axis, "")
    if unit in COUNTED and stop != 1:
        unit += "s"
    return f"{text} {unit}".rstrip()
