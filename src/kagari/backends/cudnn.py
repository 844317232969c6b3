"""cuDNN: not there. The switches may be set and have no effect."""

enabled = True
benchmark = False
benchmark_limit = 10
deterministic = False
allow_tf32 = True


def is_available() -> bool:
    """No."""
    return False


def version() -> int | None:
    """None."""
    return None
