"""The page is read as a browser reads it, and its script runs in Node where that is installed."""

import json
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from nmt import plotting

NASTY = "</script><b>&\u2028\"'"
SOURCE, TARGET = ["ein", NASTY, "Haus"], ["a", "house"]
ATTENTION = np.array([[0.7, 0.1, 0.2], [0.0, 0.25, 0.75]], np.float32)


def sentence(weights=ATTENTION, **others):
    methods = {"attention": weights, **others}
    return {name: plotting.Panel(each, SOURCE, TARGET) for name, each in methods.items()}


class Elements(HTMLParser):
    """Collects the elements of a page and the text in its scripts."""

    def __init__(self, page):
        super().__init__()
        self.found, self.scripts = [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data):
        if self.found and self.found[-1][0] == "script":
            self.scripts[-1] += data


def test_a_page_asks_for_no_other_file():
    elements = Elements(plotting.page([sentence()], title="A & B <i>"))

    assert "b" not in [tag for tag, _ in elements.found]  # nothing broke out of the data
    for tag, attributes in elements.found:
        assert tag not in ("link", "img", "iframe", "base", "object")
        assert not {"src", "href", "srcset"} & set(attributes)
    policies = [
        each["content"] for tag, each in elements.found if "content-security" in str(each).lower()
    ]
    assert len(policies) == 1
    assert policies[0].startswith("default-src 'none';")


def test_a_page_holds_the_words_and_weights():
    elements = Elements(plotting.page([sentence(saliency=ATTENTION[::-1])]))

    (data,) = json.loads(elements.scripts[0])
    assert (data["source"], data["target"]) == (SOURCE, TARGET)
    np.testing.assert_allclose(data["methods"]["attention"], ATTENTION, atol=1e-4)
    np.testing.assert_allclose(data["methods"]["saliency"], ATTENTION[::-1], atol=1e-4)


def test_sentences_of_different_methods_are_refused():
    with pytest.raises(ValueError, match="the same methods for each"):
        plotting.page([sentence(), sentence(saliency=ATTENTION)])
    with pytest.raises(ValueError, match="a page needs sentences"):
        plotting.page([])


def test_pointing_at_a_word_lights_up_what_it_is_tied_to(tmp_path):
    if (node := shutil.which("node")) is None:
        pytest.skip("Node, which runs the script of the page, is not installed")
    page = plotting.page([sentence(saliency=ATTENTION[:, ::-1]), sentence(saliency=ATTENTION)])
    data, script = Elements(page).scripts
    (tmp_path / "data.json").write_text(data, encoding="utf-8")
    (tmp_path / "script.js").write_text(script, encoding="utf-8")
    harness = Path(__file__).with_name("browser.js")

    run = subprocess.run(
        [node, harness, tmp_path / "data.json", tmp_path / "script.js"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert run.returncode == 0, run.stderr
    seen = json.loads(run.stdout)
    assert seen["words"] == [[SOURCE, TARGET], [SOURCE, TARGET]]
    assert seen["options"] == ["attention", "saliency"]
    np.testing.assert_allclose(seen["target word"], ATTENTION[1], atol=1e-4)
    np.testing.assert_allclose(seen["source word"], ATTENTION[:, 0], atol=1e-4)
    np.testing.assert_allclose(seen["focused word"], ATTENTION[0], atol=1e-4)
    np.testing.assert_allclose(seen["other method"], ATTENTION[0][::-1], atol=1e-4)
    assert seen["left"] == [None] * 3
    assert seen["other sentence"] == [None] * 3
