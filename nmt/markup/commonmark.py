"""A parser of CommonMark with tables and strikethrough, whose inline tokens know their places.

markdown-it-py tells the lines of a block, but not where in it an inline token is. Here each of its
inline rules also notes the places of the tokens that it adds, in `meta["place"]`.
"""

from collections.abc import Callable

import regex
from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock, reference
from markdown_it.rules_inline import StateInline, autolink
from markdown_it.token import Token

Rule = Callable[[StateInline, bool], bool]

_RUNS = ("emphasis", "strikethrough")  # rules that add a token for each sign, or two, of a run
# Signs to which extensions give a meaning: references to footnotes, and the boxes of tasks.
_KEPT = regex.compile(r"\[\^[^\]\s]+\]:?|\[[ xX]\](?=\s)")


def parser() -> MarkdownIt:
    """Returns the parser."""
    markdown = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    markdown.disable(["fragments_join", "text_join"])
    markdown.block.ruler.at("reference", _read_definition, {"alt": []})
    rules = markdown.inline.ruler
    rules.at("autolink", _read_address)
    rules.before("link", "kept", _keep)
    for name, rule in zip(rules.get_active_rules(), rules.getRules(""), strict=True):
        rules.at(name, _noting(name, rule))
    return markdown


def _read_definition(state: StateBlock, line: int, last: int, silent: bool) -> bool:
    """Reads the target of links, but no footnote, which is a paragraph."""
    is_footnote = state.src.startswith("[^", state.bMarks[line] + state.tShift[line])
    return not is_footnote and reference(state, line, last, silent)


def _read_address(state: StateInline, silent: bool) -> bool:
    """Adds one token for `<https://...>`, which the original rule writes as a link with a text."""
    found = autolink(state, True)
    if found and not silent:
        state.push("autolink", "", 0)
    return found


def _keep(state: StateInline, silent: bool) -> bool:
    # In a label (silent) what skips several characters would be taken for a nested link.
    if silent or not (found := _KEPT.match(state.src, state.pos)):
        return False
    state.push("kept", "", 0)
    state.pos = found.end()
    return True


def _noting(name: str, rule: Rule) -> Rule:
    """Returns a rule that also notes the places of the tokens it adds."""

    def noting(state: StateInline, silent: bool) -> bool:
        begin, before, label_end = state.pos, len(state.tokens), -1
        if name == "link" and not silent and state.src[begin] == "[":
            label_end = state.md.helpers.parseLinkLabel(state, begin, True)
        if not rule(state, silent):
            return False
        added = state.tokens[before:]
        if name in _RUNS:
            _note_run(added, begin, state.pos)
            return True
        own = [each for each in added if each.type != "text" and "place" not in each.meta]
        for token in own:
            token.meta["place"] = begin, state.pos
        if name == "link" and own:
            own[0].meta["place"] = begin, begin + 1
            own[-1].meta["place"] = label_end, state.pos
        return True

    return noting


def _note_run(added: list[Token], begin: int, end: int) -> None:
    """Notes the places of the tokens of a run of signs, which are the last of those added."""
    while added and end > begin:
        token = added.pop()
        token.meta["place"] = end - len(token.content), end
        end -= len(token.content)
