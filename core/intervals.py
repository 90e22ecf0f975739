"""Half-open intervals [start, end) of time, in seconds."""


def check_interval(owner: object, start_s: float, end_s: float) -> None:
    """Refuse an interval that is empty, reversed or begins before 0; the message shows what it got."""
    if not 0 <= start_s < end_s:
        raise ValueError(f"{type(owner).__name__} must satisfy 0 <= start_s < end_s, got [{start_s}, {end_s})")
