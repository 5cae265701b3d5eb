"""Numbers of things, as messages write them."""


def counted(number: int, thing: str) -> str:
    """Returns a number and its noun: `1 line`, `2 lines`, `1,000 lines`."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
