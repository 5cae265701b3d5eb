"""Renamed commands and options.

Old names are accepted for one more version, with a warning that gives the new name.
"""

from collections.abc import Sequence

# Of version 0.1; no longer known from version 0.3 on.
COMMANDS = {"symmetrise": "symmetrize"}
OPTIONS = {
    "align": {"--reverse": "--backward", "--symmetrise": "--symmetrization"},
    "symmetrize": {"--method": "--symmetrization"},
    "bench": {"--type": "--dtype"},
}


def renamed(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Returns the arguments of `nmt` with the new names, and a warning for each old name."""
    if not arguments:
        return [], []
    command, *rest = arguments
    found, notices = [COMMANDS.get(command, command)], []
    if found[0] != command:
        notices.append(f"nmt {command} is now called nmt {found[0]}")
    options = OPTIONS.get(found[0], {})
    for argument in rest:
        option, equals, value = argument.partition("=")
        if option in options:
            notices.append(f"{option} is now called {options[option]}")
            argument = f"{options[option]}{equals}{value}"
        found.append(argument)
    return found, notices
