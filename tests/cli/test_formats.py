"""The lines that `nmt translate` writes."""

import json

import numpy as np
import pytest

from nmt.cli import formats
from nmt.inference.translation import Translation


def translation(text):
    pieces = (*(f"▁{word}" for word in text.split()), "</s>")
    return Translation(
        source="你好", text=text, score=-0.5, log_prob=-1.25,
        source_pieces=("▁你好", "</s>"), target_pieces=pieces,
        attention=np.ones((len(pieces), 2), np.float32) / 2,
        piece_log_probs=np.full(len(pieces), -1.25 / len(pieces), np.float32),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("hello", "7 ||| hello ||| logprob= -1.2500 ||| -0.5000\n"),
        ("a | b || c", "7 ||| a | b || c ||| logprob= -1.2500 ||| -0.5000\n"),
        ("a ||| b", "7 ||| a &#124;&#124;&#124; b ||| logprob= -1.2500 ||| -0.5000\n"),
        ("|||||||", f"7 ||| {'&#124;' * 6}| ||| logprob= -1.2500 ||| -0.5000\n"),
        ("a|||", "7 ||| a&#124;&#124;&#124; ||| logprob= -1.2500 ||| -0.5000\n"),
        ("", "7 |||  ||| logprob= -1.2500 ||| -0.5000\n"),
    ],
)
def test_an_entry_of_an_n_best_list_has_four_fields_whatever_the_text(text, written):
    assert formats.as_n_best(7, [translation(text)]) == written
    assert len(written.split("|||")) == 4


@pytest.mark.parametrize("text", ["a\u2028b", 'a "quoted" \\ b', "שלום עולם", "a\tb"])
def test_an_object_of_json_is_one_line_of_readable_text(text):
    line = formats.as_json(3, [translation(text)], n_best=False)

    assert line.count("\n") == 1
    assert line.endswith("}\n")
    assert '"source": "你好"' in line
    assert json.loads(line)["text"] == text
