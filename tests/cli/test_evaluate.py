"""The command that scores: of runs and of given translations, by any metric, and compared."""

import gzip
import json
import shutil
import subprocess
import sys
import unicodedata

import pytest

ZH = ("一只猫坐在红色的垫子上。", "正在下雨，没有人出门。")


@pytest.fixture
def files(text):
    """Texts of two lines by name, and one of three lines."""
    return {
        "SOURCE": text("in.txt", "a b c d e", "h g f e"),
        "REF": text("ref.en", "a b c d e", "h g f a"),
        "ALT": text("alt.en", "a b c d e", "h g f e"),
        "HYP": text("hyp.txt", "a b c d e", "H g f e"),
        "BAD": text("bad.txt", "a b", "c"),
        "LONG": text("long.txt", "a", "b", "c"),
        "EMPTY": text("empty.txt"),
    }


@pytest.fixture
def tested(copy_run, files, tmp_path):
    """Makes a copy of the run whose test set is SOURCE and REF, with a setting changed."""

    def copy(name, old="", new=""):
        run = tmp_path / name
        shutil.copytree(copy_run, run)
        test = f"  test: {{source: {files['SOURCE']}, target: {files['REF']}}}\n"
        config = (run / "config.yaml").read_text().replace("  test: null\n", test)
        assert old in config
        (run / "config.yaml").write_text(config.replace(old, new, 1))
        return run

    return copy


# BLEU: of n-grams match 8/9, 6/7, 4/5 and 2/3. TER: one of nine words is another.
@pytest.mark.parametrize(
    ("arguments", "starts"),
    [
        ("", ["BLEU 79.84 (nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|", "chrF2 "]),
        ("--metric chrf++", ["chrF2++ "]),
        ("--metric ter --metric ter", ["TER 11.11 (nrefs:1|case:lc|tok:tercom|"]),
        ("--metric bleu --lowercase", ["BLEU 79.84 (nrefs:1|case:lc|eff:no|tok:13a|"]),
        ("--metric bleu --reference ALT", ["BLEU 100.00 (nrefs:2|"]),
        ("--metric bleu --tokenize char", ["BLEU 79.84 (nrefs:1|case:mixed|eff:no|tok:char|"]),
        ("--metric bleu --confidence", ["BLEU 79.84 (μ = "]),
    ],
)
def test_metrics_and_their_settings(nmt, files, arguments, starts):
    given = [files.get(each, each) for each in arguments.split()]

    code, out, _ = nmt(
        "evaluate", "--hypothesis", files["SOURCE"], "--reference", files["REF"], *given
    )

    assert code == 0
    for line, start in zip(out.splitlines(), starts, strict=True):
        assert line.startswith(start)


def test_given_translations_are_scored_without_a_model(files):
    arguments = ["evaluate", "--hypothesis", str(files["ALT"]), "--reference", str(files["REF"])]
    code = (
        f"import sys; sys.argv = ['nmt', *{arguments}]\n"
        "from nmt import cli\n"
        "try: cli.main()\n"
        "finally: print('jax' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)

    assert done.stdout.splitlines()[0].startswith("BLEU 79.84 ")
    assert done.stdout.splitlines()[2:] == ["False"]


@pytest.mark.filterwarnings("always")
@pytest.mark.parametrize(("form", "warned"), [("NFC", False), ("NFD", True)])
def test_characters_in_another_unicode_form_are_warned_of(nmt, text, form, warned):
    lines = ["le café fermé", "à Paris, naïve et là"]
    hypothesis = text("out.txt", *(unicodedata.normalize(form, line) for line in lines))
    reference = text("ref.fr", "le café est fermé", "à Paris, naïve")

    code, _, err = nmt("evaluate", "--hypothesis", hypothesis, "--reference", reference)

    warning = (
        f"nmt: warning: {hypothesis}: the references have 3 characters in another Unicode form, "
        "such as e\u0301 (U+0065 U+0301), and words with them count as others; write both texts in "
        "NFC\n"
    )
    assert (code, err) == (0, warning if warned else "")


@pytest.mark.filterwarnings("always")
@pytest.mark.parametrize(
    ("written", "reference"),
    [
        ("\u1ebf", "\u00ea\u0301"),  # Vietnamese, as Windows writes it
        ("\u0628\u064e\u0651", "\u0628\u0651\u064e"),  # Arabic, as it is typed
        ("ねこが\u304b\u3099", "ねこがが"),
    ],
)
def test_references_may_have_any_form(nmt, text, written, reference):
    one, other = text("out.txt", written), text("ref.txt", reference)

    _, _, err = nmt("evaluate", "--hypothesis", one, "--reference", other)
    _, _, back = nmt("evaluate", "--hypothesis", other, "--reference", one)

    assert "have 1 character in another Unicode form" in err
    assert "have 1 character in another Unicode form" in back or written[-1] == "\u3099"


def test_the_ending_of_a_reference_tells_the_language(nmt, text, tmp_path):
    text("ref.zh", *ZH)
    (tmp_path / "ref.zho_Hans.gz").write_bytes(gzip.compress("\n".join(ZH).encode()))
    hypothesis = text("out.txt", "一只猫坐在蓝色的垫子上。", ZH[1])

    def bleu(name, *arguments):
        given = ("--hypothesis", hypothesis, "--reference", tmp_path / name, "--metric", "bleu")
        return nmt("evaluate", *given, *arguments)[1]

    assert "|tok:zh|" in bleu("ref.zh")
    assert bleu("ref.zh") == bleu("ref.zho_Hans.gz")
    assert "|tok:13a|" in bleu("ref.zh", "--tokenize", "13a")


def test_a_run_has_the_tokenizer_of_its_language_or_of_its_setting(nmt, tested):
    chinese = tested("zh", "target: en", "target: zh")
    characters = tested("char", "bleu_tokenizer: null", "bleu_tokenizer: char")

    assert "|tok:zh|" in nmt("evaluate", chinese)[1]
    assert "|tok:char|" in nmt("evaluate", characters)[1]
    assert "|tok:intl|" in nmt("evaluate", characters, "--tokenize", "intl")[1]


def test_a_run_is_compared_with_given_translations(nmt, tested, files):
    run = tested("run")
    arguments = (
        "evaluate",
        run,
        "--hypothesis",
        files["BAD"],
        "--metric",
        "bleu",
        "--metric",
        "ter",
    )

    code, table, _ = nmt(*arguments)
    _, as_json, _ = nmt(*arguments, "--json")
    _, alone, _ = nmt("evaluate", run, "--metric", "bleu", "--metric", "ter", "--json")

    assert code == 0
    rows, below = table.split("\n\n")
    assert [row.split()[0] for row in rows.splitlines()] == ["system", str(run), str(files["BAD"])]
    assert [line.split(":")[0] for line in below.splitlines()] == ["μ ±", "BLEU", "TER"]
    systems = json.loads(as_json)
    assert list(systems) == [str(run), str(files["BAD"])]
    values = [each["value"] for each in systems[str(run)]]
    assert values == pytest.approx([each["value"] for each in json.loads(alone)])
    for first, second in zip(*systems.values(), strict=True):
        assert {"mean", "margin"} < set(first)
        assert "p_value" not in first
        assert 0 < second["p_value"] <= 1


def test_two_runs_translate_the_test_set_of_the_first(nmt, copy_run, tested):
    run = tested("run", "bleu_tokenizer: null", "bleu_tokenizer: char")  # chrF asks for none

    code, out, _ = nmt("evaluate", run, copy_run, "decoding.beam=1", "--metric", "chrf", "--json")

    assert code == 0
    first, second = json.loads(out).values()
    assert first[0]["value"] == second[0]["value"] > 80
    assert second[0]["p_value"] == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("", "nothing to score; give a RUN, or --hypothesis FILE --reference FILE"),
        ("HYP", "hyp.txt: no run folder; files are --source, --reference or --hypothesis FILE"),
        ("nowhere", "nowhere: no such run folder"),
        ("RUN RUN", "run: given twice; each system is scored once"),
        ("RUN OTHER", "run is scored with BLEU tokenizer 13a and"),
        ("--hypothesis EMPTY --reference EMPTY", "empty.txt: is empty; give at least one sentence"),
        ("RUN --hypothesis LONG", "data.test of RUN has 2 lines and LONG has 3"),
        ("RUN --hypothesis HYP --reference REF", "give both --source and --reference, or neither"),
        ("--hypothesis HYP", "--hypothesis FILE is scored against --reference FILE; give both"),
        ("--hypothesis HYP --source SOURCE", "is scored against --reference FILE; give both"),
        ("--hypothesis HYP --hypothesis HYP --reference REF", "hyp.txt: given twice"),
        ("--hypothesis HYP --reference REF --reference REF", "given twice; each reference counts"),
        ("--hypothesis LONG --reference REF", "REF has 2 lines and LONG has 3"),
        ("--hypothesis HYP --reference REF --reference LONG", "REF has 2 lines and LONG has 3"),
        ("--beam 3 --hypothesis HYP --reference REF", "are for a RUN; give one"),
        ("decoding.beam=3 --hypothesis HYP --reference REF", "are for a RUN; give one"),
        ("--trust --hypothesis HYP --reference REF", "are for a RUN; give one"),
        ("--checkpoint last --hypothesis HYP --reference REF", "are for a RUN; give one"),
        ("--metric meteor --hypothesis HYP --reference REF", "meteor: no such metric; there are"),
        ("--tokenize 14a --hypothesis HYP --reference REF", "14a: no such tokenizer; there are"),
        ("--comet-model x --hypothesis HYP --reference REF", "is for --metric comet; give both"),
        (
            "--tokenize zh --metric ter --metric chrf --hypothesis HYP --reference REF",
            "--tokenize is for --metric bleu; give both",
        ),
        (
            "--lowercase --metric ter --hypothesis HYP --reference REF",
            "--lowercase is for --metric bleu or chrf or chrf++; give both",
        ),
        ("--metric comet --hypothesis HYP --reference REF", "source sentences too; give --source"),
        (
            "--metric comet --hypothesis HYP --reference REF --source SOURCE",
            "COMET needs the command comet-score",
        ),
    ],
)
def test_a_bad_argument_is_named_in_one_line(
    nmt, files, tested, monkeypatch, tmp_path, arguments, message
):
    monkeypatch.setenv("PATH", str(tmp_path))
    if "RUN" in arguments:
        files["RUN"] = tested("run")
    if "OTHER" in arguments:
        files["OTHER"] = tested("other", "bleu_tokenizer: null", "bleu_tokenizer: char")

    code, out, err = nmt("evaluate", *(files.get(each, each) for each in arguments.split()))

    for name in ("RUN has", "REF has", "LONG has"):
        message = message.replace(name, f"{files.get(name.split()[0])} has")
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1
