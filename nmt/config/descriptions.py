"""Descriptions of fields, from the strings under them, and of sections, from their docstrings.

Python drops the strings under fields, so they are read from the source code when they are needed.
Pydantic's `use_attribute_docstrings` would read them at each import of `nmt.config`, which takes a
sixth of the import time.
"""

import ast
import inspect
import itertools
from collections.abc import Iterator

from nmt.config.section import ConfigSection


def of_fields(section: type[ConfigSection]) -> dict[str, str]:
    """Returns the description of each field that has one, inherited ones included."""
    bases = [base for base in reversed(section.__mro__) if issubclass(base, ConfigSection)]
    return {key: text for base in bases for key, text in _own(base)}


def of_section(section: type[ConfigSection]) -> str:
    """Returns the docstring of a section, with one line for each paragraph."""
    paragraphs = inspect.cleandoc(section.__doc__ or "").split("\n\n")
    return "\n\n".join(" ".join(each.split()) for each in paragraphs)


def _own(section: type[ConfigSection]) -> Iterator[tuple[str, str]]:
    """Yields the fields that a class itself defines, with their descriptions."""
    (tree,) = ast.parse(inspect.getsource(section)).body
    for pair in itertools.pairwise(tree.body if isinstance(tree, ast.ClassDef) else []):
        match pair:
            case (
                ast.AnnAssign(target=ast.Name(id=key)),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                yield key, " ".join(text.split())
