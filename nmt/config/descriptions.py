"""What the strings under the fields of the sections say of them, and the docstrings of sections.

Python drops these strings, and they are read from the source when they are asked for. Pydantic's
`use_attribute_docstrings` reads them at each import of `nmt.config`, a sixth of its time.
"""

import ast
import inspect
import itertools

from nmt.config.section import ConfigSection


def of_fields(section: type[ConfigSection]) -> dict[str, str]:
    """Returns the description of each field that has one, inherited ones included."""
    found: dict[str, str] = {}
    for base in reversed(section.__mro__):
        if issubclass(base, ConfigSection):
            found |= _described(base)
    return found


def of_section(section: type[ConfigSection]) -> str:
    """Returns the docstring of a section, a paragraph a line."""
    paragraphs = inspect.cleandoc(section.__doc__ or "").split("\n\n")
    return "\n\n".join(" ".join(each.split()) for each in paragraphs)


def _described(section: type[ConfigSection]) -> dict[str, str]:
    (tree,) = ast.parse(inspect.getsource(section)).body
    found: dict[str, str] = {}
    for pair in itertools.pairwise(tree.body if isinstance(tree, ast.ClassDef) else []):
        match pair:
            case (
                ast.AnnAssign(target=ast.Name(id=key)),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                found[key] = " ".join(text.split())
    return found
