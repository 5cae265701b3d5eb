"""`nmt aer --cross-validate` and `nmt align --cross-validate`."""

import json
import shutil

import pytest

GOLD = ("0-0", "1-1", "0-0 1-1", "0-0")
ONE = ("0-0", "0-1", "0-0 1-1", "0-0 1-0")
OTHER = ("1-0", "1-1", "0-0", "0-0")


def test_files_of_links_are_chosen_on_one_half_and_scored_on_the_other(nmt, text):
    one, other, gold = text("one", *ONE), text("other", *OTHER), text("gold", *GOLD)
    arguments = ("aer", one, other, "--gold", gold, "--cross-validate")

    code, out, _ = nmt(*arguments)
    _, as_json, _ = nmt(*arguments, "--json")

    # The arithmetic is that of tests/evaluation/test_cross_validation.py.
    assert (code, out.splitlines()) == (
        0,
        [
            "AER 0.600 precision 0.400 recall 0.400 F1 0.400 (cross-validated)",
            f"odd lines: AER 0.600 by {other}, which has 0.000 on the others",
            f"even lines: AER 0.600 by {one}, which has 0.000 on the others",
        ],
    )
    choice = {"aer": 0.6, "aer_of_choice": 0}
    found = json.loads(as_json)
    chosen = {each["half"]: each["candidate"] for each in found["choices"]}
    assert chosen == {"odd": str(other), "even": str(one)}
    for each in found["choices"]:
        assert {name: each[name] for name in choice} == pytest.approx(choice)
    assert found["aer"] == pytest.approx(0.6)


def test_several_files_and_the_option_go_together(nmt, text):
    one, gold = text("one", *ONE), text("gold", *GOLD)

    alone = nmt("aer", one, "--gold", gold, "--cross-validate")
    several = nmt("aer", one, one, "--gold", gold)

    message = "--cross-validate chooses among files of links: give two or more"
    assert alone == (2, "", f"nmt: {message}\n")
    message = "several files of links: give --cross-validate to choose among them, or only one"
    assert several == (2, "", f"nmt: {message}\n")


@pytest.fixture
def backward_run(copy_run, tmp_path):
    """The run that copies, as one of the other direction."""
    run = shutil.copytree(copy_run, tmp_path / "reverse")
    config = (run / "config.yaml").read_text()
    turned = config.replace("source: de\n", "source: en\n").replace("target: en", "target: de")
    (run / "config.yaml").write_text(turned)
    return run


def test_align_chooses_a_threshold_and_a_symmetrization(
    nmt, copy_run, backward_run, text, tmp_path
):
    # The run attends to one word, so that each way finds the same links.
    source, gold = text("in.txt", "a b c", "d", "c d"), text("gold", "0-0 1-1 2-2", "0-0", "0-0")
    align = ("align", copy_run, "--source", source, "--target", source, "--gold", gold)
    align += ("--cross-validate",)

    code, out, err = nmt(*align)
    links = tmp_path / "links"
    both = nmt(*align, "--backward", backward_run, "--json", "-o", links)
    _, scored, _ = nmt("aer", links, "--gold", gold)

    # Of 6 links 5 are right, and all 5 sure ones are found.
    line = f"AER {1 - 10 / 11:.3f} precision 0.833 recall 1.000 F1 0.909"
    assert (code, out) == (0, "0-0 1-1 2-2\n0-0\n0-0 1-1\n")
    assert err.splitlines() == [
        f"{line} (cross-validated)",
        f"odd lines: AER {1 - 8 / 9:.3f} by most attended, which has 0.000 on the others",
        f"even lines: AER 0.000 by most attended, which has {1 - 8 / 9:.3f} on the others",
    ]
    found = json.loads(both[1])
    assert both[::2] == (0, "")
    assert [each["candidate"] for each in found["choices"]] == ["intersection"] * 2
    assert found["aer"] == pytest.approx(1 - 10 / 11)
    assert links.read_text() == out
    assert scored == f"{line}\n"


def test_align_names_what_keeps_it_from_choosing(nmt, copy_run, backward_run, text):
    source, gold = text("in.txt", "a"), text("gold", "0-0")
    align = ("align", copy_run, "--source", source, "--target", source)
    scored = (*align, "--gold", gold, "--cross-validate")
    given = ("--backward", backward_run, "--threshold", 0.3, "--symmetrization", "union")

    messages = {
        "--cross-validate scores links by --gold; give --gold, or leave it out": (
            *align,
            "--cross-validate",
        ),
        "--json prints the error rate of --gold; give --gold, or leave it out": (*align, "--json"),
        "--cross-validate chooses what --threshold and --symmetrization would say, and nothing is "
        "left to choose; leave one of them out": (*scored, *given),
        "--symmetrization needs a second model: give --backward RUN": (
            *scored,
            "--symmetrization",
            "union",
        ),
        "1 sentence with gold links and 12 ways to link them: cross-validation needs two or more "
        "of both": scored,
    }

    for message, arguments in messages.items():
        assert nmt(*arguments) == (2, "", f"nmt: {message}\n")
    alone = nmt(*scored, "--threshold", 0.3)
    unknown = nmt(*scored, "--backward", backward_run, "--symmetrization", "grow")
    assert alone[2].startswith("nmt: --cross-validate chooses what --threshold")
    assert unknown[2].startswith("nmt: no symmetrization 'grow'; choose one of soft-intersection")


def test_a_file_of_links_that_is_given_twice_is_no_choice(nmt, text):
    one, gold = text("one", *ONE), text("gold", *GOLD)

    found = nmt("aer", one, one, "--gold", gold, "--cross-validate")

    assert found == (2, "", f"nmt: {one}: given twice; each file of links is one to choose\n")
