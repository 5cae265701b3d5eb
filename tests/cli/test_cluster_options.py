"""The options by which commands work on a corpus with Ray, up to where Ray would start."""

import sys

import pytest

from nmt.cli import cluster, corpus
from nmt.cli.outputs import Outputs

TEXT = ["--input", "*.de", "--output", "out"]
RAY = ["--ray", "local"]
PAIRS = ["--source", "a.de", "--target", "a.en"]

ALONE = [
    ["translate", "run", "--input", "a.de"],
    ["translate", "run", "a.de", "--column", "de"],
    ["translate", "run", "a.de", "--actors", "2"],
    ["align", "run", *PAIRS, "--cores-per-actor", "2"],
    ["score", "run", *PAIRS, "--actors", "2"],
]
SINGLE = [
    (["translate", "run", "a.de", *TEXT], "INPUT"),
    (["translate", "run", *TEXT, "--resume"], "--resume"),
    (["translate", "run", *TEXT, "--markup", "html"], "--markup"),
    (["score", "run", "a.tsv", "-o", "out"], "INPUT"),
    (["align", "run", *PAIRS, "--gold", "a.align"], "--gold"),
    (["align", "run", *PAIRS, "--backward", "run"], "--backward"),
]
WRONG = [
    (["translate", "run", "-o", "out"], "--ray translates a corpus: give --input 'corpus/*.de.gz'"),
    (["translate", "run", "--input", "a.de"], "--ray writes a file for each file: give --output F"),
    (
        ["translate", "run", *TEXT, "--alignments", "a.npz"],
        "a.npz: --ray writes links to a folder;",
    ),
    (["translate", "run", *TEXT, "--alignments", "out"], "out: --output and --alignments need a f"),
    (["translate", "run", *TEXT, "--column", "de"], "a.de: lines of text have no columns; leave o"),
    (["translate", "run", *TEXT, *["--column", "a"] * 2], "--column: give it once, for the source"),
    (
        ["align", "run", *PAIRS, "-o", "out", "--column", "de"],
        "--column: give it twice, for the so",
    ),
    (["score", "run", "-o", "out"], "--ray needs pairs: give --source and --target"),
    (["translate", "run", "--input", "*.fr", "-o", "out"], "*.fr: no such files"),
    (["translate", "run", *TEXT], "--ray needs the extra: pip install 'nmt[ray]'"),
    (["align", "run", *PAIRS, "-o", "out"], "--ray needs the extra: pip install 'nmt[ray]'"),
    (["score", "run", *PAIRS, "-o", "out"], "--ray needs the extra: pip install 'nmt[ray]'"),
]


@pytest.fixture
def refused(nmt, text, tmp_path, monkeypatch):
    """Runs a command where Ray is not installed; returns the message with which it is refused."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "ray", None)
    for name in ("a.de", "a.en", "a.tsv", "a.align"):
        text(name, "a")

    def run(arguments):
        code, output, errors = nmt(*arguments)
        assert (code, output) == (2, "")
        assert not (tmp_path / "out").exists()
        return errors.removeprefix("nmt: ")

    return run


@pytest.mark.parametrize("arguments", ALONE)
def test_an_option_of_a_corpus_needs_ray(refused, arguments):
    option = next(each for each in arguments if each in ("--input", "--column") or "actor" in each)

    assert refused(arguments) == f"{option} is for a corpus of many files: give --ray as well\n"


@pytest.mark.parametrize(("arguments", "option"), SINGLE)
def test_an_option_of_a_single_text_cannot_go_with_ray(refused, arguments, option):
    message = f"{option} is for a single text: leave it out, or --ray\n"

    assert refused([*arguments, *RAY]) == message


@pytest.mark.parametrize(("arguments", "message"), WRONG)
def test_a_corpus_that_cannot_be_worked_on_is_refused_before_ray_starts(
    refused, arguments, message
):
    assert refused([*arguments, *RAY]).startswith(message)


def test_a_client_of_ray_is_told_to_go_to_the_cluster(refused):
    message = refused(["translate", "run", *TEXT, "--ray", "ray://head:10001"])

    assert message == (
        "--ray ray://head:10001: clients of Ray from outside are not supported; give the command "
        "within the cluster, as by `ray job submit`, with --ray auto\n"
    )


def test_the_order_of_the_inputs_does_not_matter_for_what_a_result_is_made_of():
    class Recorded(cluster.Corpus):
        def process(self, *sides, how, **rest):
            made_of.append(how)

    of_lines = dict.fromkeys(["--prefix", "--require", "--forbid", "--input-format"])
    made_of = []
    for inputs in (["a.tsv", "a.de"], ["a.de", "a.tsv"]):
        corpus.translate(
            Recorded("local", (), {}),
            inputs,
            Outputs(None, None, n_best=None, as_json=False),
            load=dict,
            of_lines=of_lines,
        )

    one, other = made_of
    assert one == other
    assert one["--input-format"] is None
