"""Words and numbers for the sentences of reasons."""

import unicodedata


def entries(count: int) -> str:
    """`1 entry`, `12 entries`."""
    return "1 entry" if count == 1 else f"{count:,} entries"


def share(part: int, whole: int) -> str:
    """`12 of 30 (40 %)`."""
    return f"{part:,} of {whole:,} ({100 * part / whole:.0f} %)" if whole else "0 of 0"


def shown(text: str, longest: int = 120) -> str:
    """Log text inside a sentence: control, format and other invisible characters escaped, cut where it runs on."""
    kept = text if len(text) <= longest else text[:longest] + "…"
    return "".join(
        character if character == " " or unicodedata.category(character)[0] not in "CZ" else _escaped(character)
        for character in kept
    )


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii") if ord(character) < 0xD800 else f"\\U{ord(character):08x}"
