"""Settings of the search that are given to a trained run, which stays as it is."""

import json
import shutil

import pytest

from nmt.cli.options import OVERRIDE
from nmt.config import Config
from nmt.config.place import Place

COMMANDS = {
    "translate": lambda run, text: ("translate", run, text),
    "evaluate": lambda run, text: ("evaluate", run, "--source", text, "--reference", text),
    "align": lambda run, text: ("align", run, "--source", text, "--target", text),
    "plot": lambda run, text: ("plot", run, "a b c", "-o", text.with_suffix(".png")),
}


@pytest.mark.filterwarnings("always")  # is printed, as on a terminal
@pytest.mark.parametrize("command", COMMANDS)
def test_a_setting_can_be_given_to_every_command_that_decodes(nmt, copy_run, text, command):
    before = (copy_run / "config.yaml").read_bytes()
    arguments = COMMANDS[command](copy_run, text("in.txt", "a b c d e f"))

    code, _, err = nmt(*arguments, "decoding.max_pieces=4", "decoding.split=never")

    assert code == 0
    assert "line 1: the source has more than 3 pieces, and is cut" in err or command == "plot"
    assert (copy_run / "config.yaml").read_bytes() == before


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("decoding.beem=8", "decoding.beem: unknown key; did you mean decoding.beam?"),
        ("decoding.trust=1", "decoding.trust: no setting of decoding; write --trust, where a comm"),
        ("decoding.dictionary=x", "decoding.dictionary: no setting of decoding"),
        ("decoding.beam=many", "decoding.beam: expected an integer"),
        ("decoding.length_penalty=gnnt", "unknown kind 'gnnt'; did you mean gnmt?"),
        ("model.dropout=0.1", "model.dropout: only settings of decoding can be given to a trained"),
        (
            "decoding.max_output_ratio=.inf",
            "decoding.max_output_ratio: input should be a finite number",
        ),
        ("decoding.length_penalty=30", "decoding.length_penalty.alpha: input should be less than"),
        (
            "decoding.split=sometimes",
            "decoding.split.when: input should be 'never', 'cut', 'long' or",
        ),
        (
            "decoding.split={when: never, sentences: sentencex}",
            "would do nothing with `when: never`",
        ),
        ("decoding.shortlist=400", "decoding.shortlist: input should be less than or equal to 100"),
    ],
)
def test_a_mistake_in_a_setting_is_named(nmt, copy_run, text, command, setting, message):
    code, _, err = nmt(*COMMANDS[command](copy_run, text("in.txt", "a")), setting)

    assert code == 2
    assert message in err


@pytest.mark.filterwarnings("ignore:.*cut at its longest length")
def test_settings_change_what_is_found(nmt, copy_run, text):
    source = text("in.txt", "a b c")

    _, short, _ = nmt(
        "translate", copy_run, source, "decoding.max_output_ratio=0.1", "decoding.max_extra=2"
    )
    _, few, _ = nmt(
        "translate", copy_run, "decoding.length_penalty=0.6", source, "--n-best", 1, "--beam", 2
    )

    assert short == "a b\n"
    _, _, log_prob, score = few.rstrip("\n").split(" ||| ")
    # Three letters and the end of sentence.
    assert log_prob.startswith("logprob= ")
    log_prob = log_prob.removeprefix("logprob= ")
    assert float(score) == pytest.approx(float(log_prob) / 4**0.6, abs=1e-3)


def test_a_beam_that_is_given_twice_is_refused(nmt, copy_run, text):
    code, _, err = nmt("translate", copy_run, text("in.txt"), "--beam", 2, "decoding.beam=3")

    assert (code, "--beam and decoding.beam say the same thing" in err) == (2, True)


def test_a_setting_that_another_one_undoes_is_refused(nmt, copy_run, text):
    settings = ("decoding.length_penalty.alpha=0.3", "decoding.length_penalty=gnmt")

    code, _, err = nmt("translate", copy_run, text("in.txt"), *settings)

    assert code == 2
    assert "decoding.length_penalty=gnmt: undoes decoding.length_penalty.alpha before it" in err


def test_one_file_is_translated_at_a_time(nmt, copy_run, text):
    code, _, err = nmt("translate", copy_run, text("one.txt"), text("two.txt"))

    assert (code, "one INPUT at a time" in err) == (2, True)


def test_what_sets_nothing_is_named_where_files_are_options(nmt, copy_run, text):
    files = ("--source", text("in.txt", "a"), "--target", text("out.txt", "a"))

    code, _, err = nmt("align", copy_run, "in.txt", *files)

    assert (code, "in.txt: not a setting decoding.KEY=VALUE; files are" in err) == (2, True)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_checkpoint_can_be_chosen(nmt, copy_run, text, command):
    arguments = COMMANDS[command](copy_run, text("in.txt", "a b"))

    assert nmt(*arguments, "--checkpoint", "last")[0] == 0
    code, _, err = nmt(*arguments, "--checkpoint", 7)
    assert (code, "has no checkpoint of step 7; those it has:" in err) == (2, True)
    code, _, err = nmt(*arguments, "--checkpoint", "newest")
    assert (code, "--checkpoint takes best, last, averaged or a step, not 'newest'" in err) == (
        2,
        True,
    )


@pytest.fixture
def tested(copy_run, tmp_path):
    """A run whose configuration has a test set of two lines."""
    run = tmp_path / "run"
    shutil.copytree(copy_run, run)
    for language, lines in {"de": "a b c d e\nh g f e\n", "en": "a b c d e\nh g f a\n"}.items():
        (tmp_path / f"test.{language}").write_text(lines)
    config = (run / "config.yaml").read_text()
    assert "  test: null\n" in config
    (run / "config.yaml").write_text(
        config.replace("  test: null\n", f"  test: {{path: {tmp_path / 'test'}}}\n")
    )
    return run


def test_evaluate_scores_the_test_set_of_the_configuration(nmt, tested, text, tmp_path):
    code, own, _ = nmt("evaluate", tested, "--json")
    files = ("--source", tmp_path / "test.de", "--reference", tmp_path / "test.en")
    _, given, _ = nmt("evaluate", tested, "--json", *files)

    assert code == 0
    assert json.loads(own) == json.loads(given)
    assert 0 < json.loads(own)[0]["value"] < 100


@pytest.mark.slow
def test_a_test_set_may_be_embedded(nmt, copy_run, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(copy_run, run)
    config = (run / "config.yaml").read_text()
    test = "{path: embedded, split: validation}"
    (run / "config.yaml").write_text(config.replace("  test: null\n", f"  test: {test}\n"))

    code, out, _ = nmt("evaluate", run, "--beam", 1)

    assert (code, out[:5]) == (0, "BLEU ")


def test_a_test_set_that_cannot_be_read_says_what_to_give_instead(nmt, tested, tmp_path):
    (tmp_path / "test.en").unlink()

    code, _, err = nmt("evaluate", tested)

    assert code == 2
    assert err.startswith(f"nmt: data.test of {tested}: {tmp_path / 'test.en'}: no such file")
    assert err.endswith("; or give --source and --reference\n")


def test_a_run_without_a_test_set_asks_for_files(nmt, copy_run):
    code, _, err = nmt("evaluate", copy_run)

    assert (code, "has no data.test; give --source FILE --reference FILE" in err) == (2, True)


def test_a_source_without_a_reference_is_refused(nmt, copy_run, text):
    code, _, err = nmt("evaluate", copy_run, "--source", text("in.txt", "a"))

    assert (code, "give both --source and --reference, or neither" in err) == (2, True)


def test_the_end_of_sentence_beside_pieces_is_refused(nmt, copy_run):
    code, _, err = nmt("plot", copy_run, "a b", "--end", "--no-words")

    assert (code, "leave out --end, or --no-words" in err) == (2, True)


@pytest.mark.parametrize(("name", "field"), Config.model_fields.items())
def test_a_setting_of_each_section_is_taken_for_an_override(name, field):
    assert bool(OVERRIDE.match(f"{name}.x=1")) == bool(Place.of(field).names)
