"""Stand-ins for what is copied into the lines that are translated."""

import pytest

from nmt.data.sentences import SIGNS
from nmt.markup.document import Document


@pytest.mark.parametrize("kind", ["html", "xml"])
def test_a_stand_in_is_no_character_of_the_text(kind):
    text = f"<p>ab &#x{SIGNS[0]:x}; cd <br xmlns='http://www.w3.org/1999/xhtml'/> ef</p>"
    (line,) = Document(text, kind=kind, alphabet="").lines
    assert line.count(chr(SIGNS[0])) == 1
