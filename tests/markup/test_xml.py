"""XML in, XML out."""

import time
from collections import Counter
from xml.sax.saxutils import escape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from rewriting import backwards, capitals, rewritten, translations

from nmt.errors import DataError
from nmt.markup import xml


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("<a>ab</a>", "<a>AB</a>"),
        (
            '<?xml version="1.0"?>\n<a>ab</a>\n<!-- c -->\n',
            '<?xml version="1.0"?>\n<a>AB</a>\n<!-- c -->\n',
        ),
        ("<a  x = '1 &lt; 2'>ab</a >", "<a  x = '1 &lt; 2'>AB</a >"),
        ("<a>ab &lt; &#228; &amp;amp;</a>", "<a>AB &lt; Ä &amp;AMP;</a>"),
        # an element with text beside it is inline, others are blocks
        ("<a>ab <b>cd</b></a>", "<a>AB <b>CD</b></a>"),
        ("<a><b>ab</b> <b>cd</b></a>", "<a><b>AB</b> <b>CD</b></a>"),
        ("<a>ab <l><i>cd</i><i>ef</i></l> gh</a>", "<a>AB <l><i>CD</i><i>EF</i></l> GH</a>"),
        ("<a>ab <l/>cd</a>", "<a>AB <l/>CD</a>"),
        # CDATA is text like any other, references to entities of the document are copied
        ("<a>ab<![CDATA[ <cd> ]]></a>", "<a>AB &lt;CD&gt;</a>"),
        ("<a><![CDATA[ab\ncd]]>ef<![CDATA[]]>gh</a>", "<a>AB CDEFGH</a>"),
        ("<a><![CDATA[<12>]]></a>", "<a><![CDATA[<12>]]></a>"),
        (
            '<!DOCTYPE a [<!ENTITY e "x">]><a>ab &e; cd</a>',
            '<!DOCTYPE a [<!ENTITY e "x">]><a>AB &e; CD</a>',
        ),
        # what is copied
        (
            "<a><code>ab</code><b>cd <code>ef</code></b></a>",
            "<a><code>ab</code><b>CD <code>ef</code></b></a>",
        ),
        ('<a><b translate="no">ab</b><b>cd</b></a>', '<a><b translate="no">ab</b><b>CD</b></a>'),
        ('<a xmlns:i="http://www.w3.org/2005/11/its"><b i:translate="no">ab</b></a>',) * 2,
        # ... also if it is the whole document
        *(
            (document,) * 2
            for document in (
                '<a translate="no">ab <b>cd</b></a>',
                '<a xmlns:i="http://www.w3.org/2005/11/its" i:translate="no">ab</a>',
                "<!-- ab --><code>ab</code>\n",
                "<math><mi>ab</mi></math>",
                "<pre>ab</pre>",
                '<svg xmlns="http://www.w3.org/2000/svg"><text>ab</text></svg>',
                '<pre xmlns="http://www.w3.org/1999/xhtml">ab</pre>',
            )
        ),
        (
            '<p xmlns="http://www.w3.org/1999/xhtml">ab</p>',
            '<p xmlns="http://www.w3.org/1999/xhtml">AB</p>',
        ),
        ("<a>ab <?pi x?> cd</a>", "<a>AB <?pi x?> CD</a>"),
        # namespaces; XHTML has the rules of HTML
        ('<n:a xmlns:n="u">ab <n:b/></n:a>', '<n:a xmlns:n="u">AB <n:b/></n:a>'),
        (
            '<html xmlns="http://www.w3.org/1999/xhtml"><p>ab<br/>cd</p><style>ef</style></html>',
            '<html xmlns="http://www.w3.org/1999/xhtml"><p>AB<br/>CD</p><style>ef</style></html>',
        ),
        (
            '<?xml version="1.0" encoding="utf-8"?><a>é</a>',
            '<?xml version="1.0" encoding="utf-8"?><a>É</a>',
        ),
    ],
)
def test_documents(document, expected):
    assert rewritten(document, capitals, "xml") == expected


def test_a_section_of_many_lines_is_read_in_time():
    begin = time.process_time()
    _, _, text, _ = xml.parse("<a><![CDATA[" + "ab cd ef gh\n" * 100_000 + "]]></a>")

    assert text.text == "ab cd ef gh\n" * 100_000
    assert time.process_time() - begin < 5  # seconds; 8 if the text grew line by line


def test_tags_go_with_their_words():
    assert rewritten("<a>ab <b>cd</b>\r\nef</a>", backwards, "xml") == "<a>EF <b>CD</b> AB</a>"


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("<a>\n<b></a>", r"line 2, column 6: not well-formed XML \(mismatched tag\)"),
        ("", r"line 1, column 1: not well-formed XML \(no element found\)"),
        ("<a>&nbsp;</a>", r"line 1, column 4: not well-formed XML \(undefined entity\)"),
        ("<n:a/>", r"line 1, column 1: not well-formed XML \(unbound prefix\)"),
        ('<?xml version="1.0" encoding="latin-1"?><a/>', "declares the encoding latin-1"),
        ('<?xml version="1.0" encoding="US-ASCII"?><a/>', "declares the encoding US-ASCII"),
    ],
)
def test_mistakes_are_named(document, message):
    with pytest.raises(DataError, match=message):
        xml.parse(document)


text = st.text(st.sampled_from("ab cß<>&]'é中\n"), max_size=12)
leaf = st.one_of(
    text.map(escape),
    st.sampled_from(["<br/>", "<!-- ab -->", "<code>ab</code>", "<?x ab?>", "<![CDATA[a<b]]>"]),
)


def elements(children):
    names = st.sampled_from(["p", "n:b", "i"])
    inside = st.lists(children, max_size=4).map("".join)
    return st.builds(
        lambda name, inner, n: f'<{name} x="{n}">{inner}</{name}>', names, inside, st.integers(0, 9)
    )


trees = elements(st.recursive(leaf, elements, max_leaves=12)).map(
    lambda inner: f'<d xmlns:n="u">{inner}</d>'
)


def structure(document):
    tree = etree.fromstring(document)
    return Counter(
        (
            str(each.tag),
            str(each.attrib),
            None if parent is None else parent.tag + str(parent.attrib),
        )
        for each in tree.iter()
        for parent in [each.getparent()]
    )


@given(trees, translations())
@settings(max_examples=50)
def test_every_element_keeps_its_parent(document, translate):
    assert structure(rewritten(document, translate, "xml")) == structure(document)
