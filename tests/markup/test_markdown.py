"""Markdown in, Markdown out."""

import re
from collections import Counter
from itertools import groupby
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html as lxml_html
from markdown_it import MarkdownIt
from rewriting import backwards, by_links, capitals, rewritten, translations


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("[ab [^1]](http://x.de/p)", "[AB [^1]](http://x.de/p)"),
        ("[[x] ab](url)", "[[x] AB](url)"),
        ("", ""),
        ("ab *cd* __ef__ ~~gh~~\n", "AB *CD* __EF__ ~~GH~~\n"),
        ("# ab `cd` #\n\nef\n==\n", "# AB `cd` #\n\nEF\n==\n"),
        # a paragraph becomes one line, in quotes and items too
        ("ab\ncd\n\n> ef\n> gh\nij\n", "AB CD\n\n> EF GH IJ\n"),
        ("1. ab\n   cd\n   - ef\n", "1. AB CD\n   - EF\n"),
        ("ab  \ncd\\\nef\r\n", "AB  \nCD\\\nEF\r\n"),
        # links: targets and titles stay, and so do labels of references
        ('[ab](http://x.y "cd") <http://ab.cd>', '[AB](http://x.y "cd") <http://ab.cd>'),
        ("[ab *cd*][ef]\n\n[ef]: /gh 'ij'\n", "[AB *CD*][ef]\n\n[ef]: /gh 'ij'\n"),
        ("[ab][] [ab]\n\n[ab]: /cd\n", "[AB][ab] [AB][ab]\n\n[ab]: /cd\n"),
        ("ab ![cd](ef.png) gh[^1]\n\n[^1]: ij\n", "AB ![cd](ef.png) GH[^1]\n\n[^1]: IJ\n"),
        ("- [ ] ab\n- [x] cd\n", "- [ ] AB\n- [x] CD\n"),
        ("| ab | *cd* |\n|:--|--|\n| ef | ab |\n", "| AB | *CD* |\n|:--|--|\n| EF | AB |\n"),
        # a bar in a cell has a backslash before it, also in code and in a label
        (
            "| x | y |\n|--|--|\n| a \\| Hund | Hund |\n| Katze \\| Hund | Katze |\n",
            "| X | Y |\n|--|--|\n| A \\| HUND | HUND |\n| KATZE \\| HUND | KATZE |\n",
        ),
        ("| `a \\| b` | a |\n|--|--|\n", "| `a \\| b` | A |\n|--|--|\n"),
        ("|a\\|b *c* [d]|\n|-|\n\n[d]: e", "|A\\|B *C* [D][d]|\n|-|\n\n[d]: e"),
        ("|[a \\| b]|a|\n|-|-|\n\n[a | b]: c", "|[A \\| B][a \\| b]|A|\n|-|-|\n\n[a | b]: c"),
        ("|a\0 Hund|Hund|\n|-|-|", "|A\ufffd HUND|HUND|\n|-|-|"),
        # what is copied
        ("```ab\ncd\n```\n\n    ef\n\ngh\n", "```ab\ncd\n```\n\n    ef\n\nGH\n"),
        ("---\nab: cd\n---\n\nef\n", "---\nab: cd\n---\n\nEF\n"),
        ("\ufeff---\nab: cd\n---\nef", "\ufeff---\nab: cd\n---\nEF"),
        (
            "<div>\nab\n</div>\n\ncd <b>ef</b> <!-- gh -->",
            "<div>\nab\n</div>\n\nCD <b>EF</b> <!-- gh -->",
        ),
        ("ab <kbd>cd</kbd> ef", "AB <kbd>cd</kbd> EF"),
        ("ab\n***\n12\n", "AB\n***\n12\n"),
        # text stays text
        (r"ab \*cd\* &lt;ef&gt; &amp;lt;", r"AB \*CD\* \<EF> \&LT;"),
        (r"a\_b snake_case \`c\`", r"A_B SNAKE_CASE \`C\`"),
        ("ab | cd\n---\n", "AB &#124; CD\n---\n"),
    ],
)
def test_documents(document, expected):
    assert rewritten(document, capitals, "markdown") == expected


@pytest.mark.parametrize(
    "text",
    [
        "# ab",
        "- ab",
        "12. ab",
        "> ab",
        "+ ab",
        "1) ab",
        "---",
        "![ab](c)",
        "===",
        "~~ab~~",
        "<b>",
        "[ab]: c",
        "&lt;",
        "ab|cd",
        "*ab*",
        "`ab`",
        "    ab",
        "```",
        "ab\\",
        "ab\\|cd",
        "# #",
        "ab ##",
    ],
)
@pytest.mark.parametrize(
    "document", ["ab", "**ab**", "ab `cd`", "> ab", "|ab|\n|-|", "## ab", "ab\n---", "*ab*\n-"]
)
def test_a_translation_is_text(document, text):
    def translate(line):
        return by_links(line, [(word, [0]) for word in [*text.split(), *line.split(" ")[1:]]])

    rendered = MarkdownIt("commonmark").enable("table").render
    expected = lxml_html.fromstring(re.sub(r"\bab\b", "", rendered(document)))
    found = lxml_html.fromstring(rendered(rewritten(document, translate, "markdown")))
    assert [each.tag for each in found.iter()] == [each.tag for each in expected.iter()]
    assert " ".join(found.text_content().split()).startswith(" ".join(text.split()))


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("*ab* cd", "CD *AB*"),
        ("**ab [cd](x)** ef", "EF **[CD](x) AB**"),
        ("ab `x` **cd**", "**CD** `x` AB"),
    ],
)
def test_signs_go_with_their_words(document, expected):
    assert rewritten(document, backwards, "markdown") == expected


def test_emphasis_that_signs_cannot_express_has_tags():
    def translate(line):
        return by_links(line, [("ef", [1])])

    assert rewritten("**ab** cd", translate, "markdown") == "<strong></strong>ef"


phrase = st.recursive(
    st.text(st.sampled_from("ab c.é中!"), min_size=1, max_size=8).filter(str.strip).map(str.strip),
    lambda inner: st.one_of(
        st.sampled_from(["`ab`", "![a](b)", "<http://ab.cd>", "<br>"]),
        st.builds("*{}*".format, inner),
        st.builds("**{}**".format, inner),
        st.builds("[{}](x)".format, inner),
        st.lists(inner, min_size=2, max_size=3).map(" ".join),
    ),
    max_leaves=6,
)
block = st.one_of(
    phrase,
    st.builds("## {}".format, phrase),
    st.builds("> {}".format, phrase),
    st.builds("- {}\n- {}".format, phrase, phrase),
    st.builds("| {} | {} |\n|---|---|\n| {} | x |".format, phrase, phrase, phrase),
    st.just("```\nab\n```"),
)


def structure(document):
    rendered = MarkdownIt("commonmark").enable(["table"]).render(document)
    tree = lxml_html.fromstring(f"<div>{rendered}</div>")
    return Counter(
        (each.tag, str(each.attrib), str(getattr(each.getparent(), "tag", "")))
        for each in tree.iter()
    )


@given(st.lists(block, max_size=3).map("\n\n".join), translations())
@settings(max_examples=60)
def test_the_structure_is_kept(document, translate):
    def translate_to_something(line):
        found = translate(line)
        return found if found.text else by_links(line, [("x", [])])

    result = rewritten(document, translate_to_something, "markdown")
    assert structure(result) == structure(document)


# As a cell has it; words occur again and again, so that one is easily taken for another.
cell_word = st.sampled_from(
    ["a", "b", "ab", "a\\|b", "\\|", "b\\|", "`a`", "`a \\| b`", "*a*", "**b \\| a**", "[a](b)"]
)
cell = st.lists(cell_word, max_size=3).map(" ".join)
row = st.lists(cell, min_size=1, max_size=3)


def cells(document):
    """The content of each cell: its tokens by kind, with text joined."""
    blocks = MarkdownIt("commonmark").enable("table").parse(document)
    return [
        [(kind, "".join(each.content for each in run)) for kind, run in groupby(children, kinds)]
        for children in (each.children for each in blocks if each.type == "inline")
    ]


def kinds(token):
    return "text" if token.type == "text_special" else token.type


@given(row, st.lists(row, max_size=3), st.sampled_from(["", "> ", "- "]))
@settings(max_examples=200)
def test_each_translation_is_in_its_cell(head, rows, margin):
    rule = ["---"] * len(head)
    lines = [" | ".join(["", *each, ""]).strip(" ") for each in (head, rule, *rows)]
    document = margin + f"\n{margin.replace('-', ' ')}".join(lines)

    result = rewritten(document, capitals, "markdown")

    expected = [
        [(kind, text.upper() if kind == "text" else text) for kind, text in each]
        for each in cells(document)
    ]
    assert cells(result) == expected


@pytest.mark.parametrize("page", ["README.md", "docs/ensembles.md", "docs/markup.md"])
def test_the_structure_of_real_pages_is_kept(page):
    document = (Path(__file__).parents[2] / page).read_text(encoding="utf-8")

    assert structure(rewritten(document, backwards, "markdown")) == structure(document)


@given(st.text(st.sampled_from("ab*_[]()`<>#-|\n !~&\\:^"), max_size=40), translations())
@settings(max_examples=100)
def test_nothing_stops_it(document, translate):
    rewritten(document, translate, "markdown")
