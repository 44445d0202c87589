"""How long something is, for people."""

_UNITS = {"days": 86_400, "h": 3_600, "min": 60}


def span(seconds: float) -> str:
    """Write it in one unit: `40 s`, `45 min`, `30 days`."""
    for unit, length in _UNITS.items():
        if seconds >= 2 * length:
            return f"{seconds // length:,.0f} {unit}"
    return f"{max(seconds, 0):,.0f} s"
