"""The command that prints a configuration, or documents all settings."""

from pathlib import Path
from typing import Annotated

import typer

from nmt.errors import ConfigError


def config(
    file: Annotated[
        Path | None, typer.Argument(metavar="[CONFIG]", help="A YAML configuration.")
    ] = None,
    overrides: Annotated[list[str] | None, typer.Argument(help="section.key=value")] = None,
    markdown: Annotated[
        bool, typer.Option("--markdown", help="Print every key with its meaning, as a page.")
    ] = False,
    schema: Annotated[
        bool, typer.Option("--schema", help="Print the JSON schema, for editors of YAML.")
    ] = False,
) -> None:
    """Check and print a configuration, or document all keys.

    It is printed with every default.

    Example: nmt config configs/demo.yaml model.dropout=0.2
    """
    if [file is not None, markdown, schema].count(True) != 1:
        raise ConfigError("give one of a CONFIG file, --markdown and --schema")
    if file is not None:
        from nmt import configfile

        text = configfile.dump(configfile.load(file, overrides or []))
    elif markdown:
        from nmt.config.markdown import markdown as page

        text = page()
    else:
        from nmt.config.schema import schema as json_schema

        text = json_schema()
    print(text, end="")
