"""HTML in, HTML out: tables of documents, and properties over random trees."""

import time
from collections import Counter
from html import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from lxml import html as lxml_html
from rewriting import backwards, by_links, capitals, rewritten, translations

from nmt.errors import DataError
from nmt.markup import html


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("", ""),
        ("ab cd", "AB CD"),
        ("<p>ab <b>cd</b> ef</p>", "<p>AB <b>CD</b> EF</p>"),
        # attributes and quotes stay byte for byte, and so does white space at the ends of segments
        (
            "<P  class='x'\n>\n ab <A HREF=y>cd</A> </p>",
            "<P  class='x'\n>\n AB <A HREF=y>CD</A> </p>",
        ),
        # white space between words is one space; tags are beside words, not beside spaces
        ("ab\n  cd <i> ef </i> gh", "AB CD <i>EF</i> GH"),
        ("a &lt;b&gt; &amp; &eacute;&#228;", "A &lt;B&gt; &amp; ÉÄ"),
        # blocks are segments of their own, with or without closing tags
        ("ab<p>cd<p>ef", "AB<p>CD<p>EF"),
        ("<ul><li>ab<li>cd <b>ef</b></ul>", "<ul><li>AB<li>CD <b>EF</b></ul>"),
        # what is copied
        ("<!DOCTYPE html><!-- ab -->cd", "<!DOCTYPE html><!-- ab -->CD"),
        ("<script>ab <b></script>cd", "<script>ab <b></script>CD"),
        ("<style>p > a {}</style>", "<style>p > a {}</style>"),
        ("<pre>ab\n <b>cd</b></pre>ef", "<pre>ab\n <b>cd</b></pre>EF"),
        ("ab <code>cd &lt; <i>e</i></code> fg", "AB <code>cd &lt; <i>e</i></code> FG"),
        (
            "ab <span translate=no>cd <span>e</span></span> fg",
            "AB <span translate=no>cd <span>e</span></span> FG",
        ),
        ("<div translate='no'><p>ab</p></div><p>cd", "<div translate='no'><p>ab</p></div><p>CD"),
        ("<li translate=no>ab <b>cd</b><li>ef</li>", "<li translate=no>ab <b>cd</b><li>EF</li>"),
        ("<svg><text>ab</text></svg> cd", "<svg><text>ab</text></svg> CD"),
        ("<p>12 – 3</p>", "<p>12 – 3</p>"),  # nothing to translate
        ("ab<br>\ncd<br/>", "AB<br> CD<br/>"),
        ('ab <img src="x" alt="yz"> cd', 'AB <img src="x" alt="yz"> CD'),
        ('<a href="x"><img src="y"></a> ab', '<a href="x"><img src="y"></a> AB'),
        ("ab <i class=x></i>cd", "AB <i class=x></i>CD"),
        ("Do<wbr>nau ab", "DONAU<wbr> AB"),
        ("D<wbr>o<wbr>n<!-- x --><!-- y -->au ab", "DONAU<wbr><wbr><!-- x --><!-- y --> AB"),
        ("Do<wbr><i></i> nau", "DO<wbr><i></i> NAU"),
        # an element around a part of a word that stays as it is
        ("X H<sub>2</sub>O", "X H<sub>2</sub>O"),
        ("ab m<sup>2</sup> <sup>cd</sup>", "AB M<sup>2</sup> <sup>CD</sup>"),
        # broken
        ("ab </b> cd", "AB </b> CD"),
        (
            '<meta name="description" content="charset=iso-8859-1">ab',
            '<meta name="description" content="charset=iso-8859-1">AB',
        ),
        ("ab <![ cd", "AB &lt;![ CD"),
        ("ab <![0", "AB &lt;![0"),
        ("<p>ab</p>cd <b ef &auml;", "<p>AB</p>CD &lt;B EF Ä"),
        ("<script>ab > cd <b", "<script>ab > cd <b"),
        ("ab <!-- cd > ef <b", "AB &lt;!-- CD &gt; EF &lt;B"),
        ("<p translate=NO>ab</p>", "<p translate=NO>ab</p>"),
        ("<b>ab <p>cd", "<b>AB <p>CD"),
        ("<b>ab <i>cd</b> ef</i>", "<b>AB <i>CD</b> EF</i>"),
        ("ab < cd & ef", "AB &lt; CD &amp; EF"),
        ("<b/>ab", "<b/>AB"),
        ("</>ab", "</>AB"),
    ],
)
def test_documents(document, expected):
    assert rewritten(document, capitals) == expected


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("<b>ab</b> cd", "CD <b>AB</b>"),
        ("<b>ab <i>cd</i></b> ef.", "EF. <b><i>CD</i> AB</b>"),
        ("<b>ab</b> <i>cd</i>", "<i>CD</i> <b>AB</b>"),
        ("<b>ab cd</b> <i>ef</i> gh", "GH <i>EF</i> <b>CD AB</b>"),
        ("<b>ab cd ef</b>", "<b>EF CD AB</b>"),
        ("ab <code>x</code> cd", "CD <code>x</code> AB"),
        ("ab <b><code>x</code> cd</b>", "<b>CD <code>x</code></b> AB"),
    ],
)
def test_tags_go_with_their_words(document, expected):
    assert rewritten(document, backwards) == expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        # "b" is "ab cd", the rest "ef gh"
        ([("A", [0]), ("x", []), ("C", [1]), ("E", [2])], "<b>A x C</b> E"),  # a gap is inside
        ([("A", [0]), ("x", []), ("E", [2])], "<b>A</b> x E"),  # at the edge it is not
        ([("A", [0]), ("E", [2]), ("G", [3]), ("C", [1])], "<b>A</b> E G C"),  # torn: the surest
        ([("AE", [0, 2]), ("C", [1])], "AE <b>C</b>"),
        ([("AE", [0, 1, 2])], "<b>AE</b>"),
        ([("E", [2]), ("G", [3])], "<b></b>E G"),  # without a word: no tag is lost
        ([("x", []), ("y", [])], "<b></b>x y"),
        ([], "<b></b>"),
    ],
)
def test_links_decide(words, expected):
    assert rewritten("<b>ab cd</b> ef gh", lambda line: by_links(line, words)) == expected


def test_a_block_may_have_a_thousand_tags():
    assert rewritten("<b>ab</b> " * 1_000, backwards) == "<b>AB</b> " * 1_000


def test_tags_that_are_never_closed_are_read_once():
    begin = time.process_time()
    assert len(html.parse("<a " * 13_000)) == 2
    assert time.process_time() - begin < 3  # 20 s if each is looked for to the end


@pytest.mark.parametrize(
    "tag",
    [
        '<meta charset="latin-1">',
        '<meta http-equiv=Content-Type content="text/html; charset=koi8-r">',
    ],
)
def test_another_encoding_is_named(tag):
    with pytest.raises(DataError, match=r"its <meta> declares the charset (latin-1|koi8-r)"):
        html.parse(tag)


text = st.text(st.sampled_from("ab cß<>&.,\"'é中\n\u00a0"), max_size=12)
inline = st.sampled_from(["b", "i", "u", "span"])
block = st.sampled_from(["p", "div", "li"])
leaf = st.one_of(
    text.map(escape),
    st.sampled_from(["<br>", "<img alt='ab'>", "<!-- ab -->", "<code>ab</code>", "<input>"]),
)


def elements(names, children):
    inside = st.lists(children, max_size=4).map("".join)
    return st.builds(
        lambda name, inner, n: f'<{name} id="{n}">{inner}</{name}>',
        names,
        inside,
        st.integers(0, 9),
    )


phrase = st.recursive(leaf, lambda children: elements(inline, children), max_leaves=8)
page = st.lists(st.one_of(phrase, elements(block, phrase)), max_size=4).map(
    lambda parts: f"<div>{''.join(parts)}</div>"
)


def structure(tree):
    """Returns each element with its attributes and its parent; comments too."""
    return Counter(
        (
            each.tag if isinstance(each.tag, str) else etree.tostring(each, with_tail=False),
            str(each.attrib),
            getattr(each.getparent(), "tag", None),
            str(getattr(each.getparent(), "attrib", "")),
        )
        for each in tree.iter()
    )


@given(page, translations())
@settings(max_examples=50)
def test_every_tag_keeps_its_parent(document, translate):
    result = rewritten(document, translate)
    assert structure(lxml_html.fromstring(result)) == structure(lxml_html.fromstring(document))


@given(page)
@settings(max_examples=30)
def test_text_that_is_not_changed_keeps_the_document(document):
    def unchanged(line):
        return by_links(line, [(word, [i]) for i, word in enumerate(line.split(" "))])

    before, after = (
        lxml_html.fromstring(each) for each in (document, rewritten(document, unchanged))
    )
    assert structure(after) == structure(before)
    # White space at the ends of an element, which no reader sees there, may be gone.
    assert "".join(after.text_content().split()) == "".join(before.text_content().split())


@given(st.text(st.sampled_from("<>/!-ab &;=\"'b?p["), max_size=60), translations())
@settings(max_examples=100)
def test_nothing_that_is_broken_stops_it(document, translate):
    rewritten(document, translate)


@pytest.mark.parametrize("opened", ["<a ", "</a ", "<!--", "<![ ", '<a b="', "<?"])
def test_what_is_never_closed_is_read_at_once(opened):
    """At each of them, a parser may look for an end through all of the rest."""
    document = opened * 20_000
    start = time.process_time()

    parts = html.parse(document)

    assert time.process_time() - start < 5  # and not the square of it
    assert "".join(part.raw for part in parts) == document
