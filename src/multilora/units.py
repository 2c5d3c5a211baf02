"""Bytes in binary units: KiB, MiB and GiB, never mixed with GB."""

from multilora.arguments import finite_number

KIB = 2**10
MIB = 2**20
GIB = 2**30


def mib(num_bytes):
    """Return a number of bytes in MiB (2**20 bytes), as a float."""
    return finite_number("num_bytes", num_bytes) / MIB


def gib(num_bytes):
    """Return a number of bytes in GiB (2**30 bytes), as a float."""
    return finite_number("num_bytes", num_bytes) / GIB


def format_bytes(num_bytes):
    """Return a number of bytes as text in its largest binary unit.

    33_554_432 gives "32.0 MiB"; below 1 KiB whole bytes are shown.
    """
    size = finite_number("num_bytes", num_bytes)
    for unit, name in ((GIB, "GiB"), (MIB, "MiB"), (KIB, "KiB")):
        if abs(size) >= 0.999995 * unit:  # 1,023.999 KiB reads 1.0 MiB
            return f"{size / unit:,.2f} {name}".replace(".00 ", ".0 ")
    return f"{size:,.0f} B"


def percent(share, digits=1):
    """Return a share of 1 as text, the way this book writes it: '65.6 %'."""
    return f"{100 * share:.{digits}f} %"
