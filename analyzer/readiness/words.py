"""Numbers and sizes inside sentences."""

_UNITS = ("bytes", "kB", "MB", "GB", "TB")


def counted(count: int, one: str, many: str = "") -> str:
    """`1 entry`, `12 entries`."""
    return f"1 {one}" if count == 1 else f"{count:,} {many or one + 's'}"


def sized(amount: int) -> str:
    """Bytes as people say them, by thousands: `512 bytes`, `1.2 MB`."""
    size, unit = float(amount), 0
    while size >= 1000 and unit < len(_UNITS) - 1:
        size, unit = size / 1000, unit + 1
    return f"{amount:,} bytes" if unit == 0 else f"{size:.1f} {_UNITS[unit]}"
