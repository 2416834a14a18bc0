"""Words and numbers for the sentences of reasons."""

from analyzer.text import printable


def entries(count: int) -> str:
    """`1 entry`, `12 entries`."""
    return "1 entry" if count == 1 else f"{count:,} entries"


def share(part: int, whole: int) -> str:
    """`12 of 30 (40 %)`."""
    return f"{part:,} of {whole:,} ({100 * part / whole:.0f} %)" if whole else "0 of 0"


def shown(text: str, longest: int = 120) -> str:
    """Log text inside a sentence: what cannot be seen is written out, and it is cut where it runs on."""
    return printable(text if len(text) <= longest else text[:longest] + "…")
