"""nmt translate --markup and --placeholders: documents and lines through a model that copies."""

import gzip
import os
import subprocess
import sys

import pytest

from nmt import markup
from nmt.inference.translator import Translator

PAGE = """<!DOCTYPE html>
<title>a b</title><!-- c -->
<p class="x">c <b>d <i>e</i></b> f<br>g <code>&lt;a&gt;</code> h.</p>
<pre>a  b</pre><p>a &amp; b. c d e &lt; f.</p>
"""


def test_a_page_keeps_all_but_its_text(nmt, copy_run, tmp_path):
    page, output = tmp_path / "page.html", tmp_path / "out.html"
    page.write_text(PAGE, encoding="utf-8", newline="")

    assert nmt("translate", copy_run, page, "--markup", "html", "-o", output)[0] == 0
    assert output.read_text(encoding="utf-8") == PAGE


def test_a_document_comes_from_standard_input_or_compressed(nmt, copy_run, tmp_path):
    packed, plain = tmp_path / "a.md.gz", tmp_path / "a.md"
    document = "# a *b*\r\n\r\n- c [d](x) e\r\n"
    packed.write_bytes(gzip.compress(document.encode()))
    plain.write_bytes(document.encode())

    assert nmt("translate", copy_run, packed, "--markup", "markdown")[1] == document
    own = os.dup(0)
    try:
        with plain.open() as file:
            os.dup2(file.fileno(), 0)
        assert nmt("translate", copy_run, "--markup", "markdown")[1] == document
    finally:
        os.dup2(own, 0)
        os.close(own)


def test_python_translates_a_document(copy_run):
    translator = Translator.load(copy_run, copy_unseen=False)
    document = '<a x="1">a <b>c</b> <![CDATA[d]]> <e/></a>'

    assert markup.translate(translator, document, kind="xml") == document.replace(
        "<![CDATA[d]]>", "d"
    )
    assert not translator.config.copy_unseen


def test_a_warning_names_segments(copy_run):
    translator = Translator.load(copy_run, max_output_ratio=0.1, max_extra=2)

    with pytest.warns(UserWarning, match="^segment 2: the translation is cut"):
        markup.translate(translator, "<p>a</p>\n\n\n<p>a b c d</p>")


def test_large_documents_are_translated_in_windows(copy_run):
    translator = Translator.load(copy_run, batch=1)
    document = "".join(f"<p>a <b>{letter}</b></p>\n" for letter in "abcdefgh" * 20)

    assert markup.translate(translator, document) == document


@pytest.mark.parametrize(
    ("options", "content", "message"),
    [
        (["--markup", "htm"], b"", "--markup htm: choose from html, xml, markdown"),
        (["--markup", "html", "--n-best", "2"], b"", "--markup and --n-best: a document is"),
        (["--markup", "html", "--json"], b"", "--markup and --json: a document is"),
        (["--markup", "html", "--alignments", "x"], b"", "--markup and --alignments: a document"),
        (["--markup", "html", "--resume"], b"", "--markup and --resume: a document is"),
        (
            ["--markup", "xml"],
            b"<a>\n <b></a>",
            "in.txt: line 2, column 7: not well-formed XML (mismatched tag)",
        ),
        (["--markup", "html"], b"a\n\xe9", "in.txt, line 2: not UTF-8"),
        (["--markup", "html"], b"<meta charset=latin-1>", "in.txt: its <meta> declares"),
        (["--placeholders", "decoding.placeholders=[numbers]"], b"", "say the same thing"),
        (["decoding.placeholders=[dates]"], b"", "input should be 'variables', 'addresses' or"),
    ],
)
def test_mistakes_are_one_line(nmt, copy_run, tmp_path, options, content, message):
    (tmp_path / "in.txt").write_bytes(content)

    code, out, error = nmt("translate", copy_run, tmp_path / "in.txt", *options)

    assert (code, out) == (2, "")
    assert message in error
    assert error.count("\n") == 1


def test_placeholders_are_kept(nmt, copy_run, text):
    source = text("in.txt", "a {b} c", "a a@b.de, c %s.", "12 {a}", "a 12 b")

    code, out, _ = nmt("translate", copy_run, source, "--placeholders")

    assert (code, out) == (0, "a {b} c\na a@b.de, c %s.\n12 {a}\na 12 b\n")


def test_a_document_has_placeholders_too(nmt, copy_run, text):
    source = text("in.html", "<p>a <b>b {c}</b> 5</p>")

    _, out, _ = nmt("translate", copy_run, source, "--markup", "html", "--placeholders")

    assert out == "<p>a <b>b {c}</b> 5</p>\n"


def test_reading_a_document_does_not_import_jax():
    code = "import sys; from nmt.markup import html; html.parse('<p>a')"

    subprocess.run([sys.executable, "-c", f"{code}; assert 'jax' not in sys.modules"], check=True)
