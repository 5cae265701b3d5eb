"""What characters become: kept, normalized, reported, whole symbols, and one line for any ids."""

import re
import unicodedata

import pytest
import sentencepiece
from hypothesis import given
from hypothesis import strategies as st

from nmt import configfile
from nmt.config import SamplingConfig, TrainedTokenizerConfig
from nmt.data import characters, tokenizer_training
from nmt.data.tokenizer import Tokenizer
from nmt.errors import ConfigError, DataError

LINES = [f"size {n} m² … ½ cup™ ﬁne ｆｕｌｌ é e\u0301 한글 ﷺ" for n in range(50)]
# Of every kind that some tokenizer changes: spaces, controls, invisible characters, marks, signs
# and names of SentencePiece's own, forms that NFKC changes, characters beyond the first plane.
HOSTILE = [*"▁ \t\0\x01\x7f\u00a0\u3000\u200b\u200c\u200d\ufeff\u00ad\u0301\ufffd⁇▅½™ﬁ²…Ａ漢😆"]
HOSTILE += ["  ", "<s>", "</s>", "<unk>", "<pad>", "<0x41>", "e\u0301", "👨‍👩‍👧", "size"]
BREAKS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
texts = st.one_of(st.text(), st.lists(st.sampled_from([*HOSTILE, *BREAKS, "m", "8"])).map("".join))


def trained(**options):
    return tokenizer_training.train(
        LINES, LINES, TrainedTokenizerConfig(kind="bpe", **options)
    ).source


@pytest.fixture(scope="module")
def keeping():
    """A model with the defaults."""
    return trained(vocabulary_size=330)


@given(texts.filter(lambda text: "▁" not in text))
def test_a_round_trip_changes_runs_of_spaces_only(keeping, text):
    decoded = keeping.decode(keeping.encode(text))

    assert decoded == re.sub(f"[ {BREAKS}]+", " ", text).strip(" ")


@given(texts)
def test_the_sign_by_which_sentencepiece_writes_a_space_becomes_one(keeping, text):
    decoded = keeping.decode(keeping.encode(f"{text}▁{text}"))

    spaced = re.sub(f"[▁ {BREAKS}]+", " ", f"{text}▁{text}")
    assert re.sub(" +", " ", decoded).strip(" ") == spaced.strip(" ")


@given(st.lists(st.integers(0, 329)))
def test_any_ids_are_one_line(keeping, ids):
    text = keeping.decode(ids)

    assert text.splitlines() in ([], [text])
    offsets = keeping.decoded_offsets(ids)
    assert len(offsets) == len(ids)
    ends = [0, *(end for _, end in offsets)]
    assert all(last <= begin <= end for last, (begin, end) in zip(ends, offsets, strict=False))
    assert ends[-1] == len(text)


@pytest.mark.parametrize("line_break", BREAKS)
def test_every_line_break_is_written_as_a_space(keeping, line_break):
    spelled = [f"<0x{byte:02X}>" for byte in line_break.encode()]
    ids = keeping.ids(["▁m", *spelled, "m"])

    assert keeping.decode(ids) == "m m"
    assert keeping.encode(f"m{line_break}m") == keeping.encode("m m")


@pytest.mark.parametrize(
    ("normalization", "expected"),
    [
        ("identity", "m² … ½ cup™ ﬁne ｆｕｌｌ \u00e9 e\u0301 \u1112\u1161\u11ab ﷺ \u212b"),
        ("nfc", "m² … ½ cup™ ﬁne ｆｕｌｌ \u00e9 \u00e9 \ud55c ﷺ \u00c5"),
        ("nfkc", "m2 ... 1⁄2 cupTM fine full \u00e9 \u00e9 \ud55c صلى الله عليه وسلم \u00c5"),
        ("nmt_nfkc", "m2 ... 1⁄2 cupTM fine full \u00e9 \u00e9 \ud55c صلى الله عليه وسلم \u00c5"),
        (
            "nmt_nfkc_cf",
            "m2 ... 1⁄2 cuptm fine full \u00e9 \u00e9 \ud55c صلى الله عليه وسلم \u00e5",
        ),
    ],
)
def test_each_normalization_is_what_unicode_says(normalization, expected):
    model = trained(vocabulary_size=330, normalization=normalization)
    text = "m² … ½ cup™ ﬁne ｆｕｌｌ \u00e9 e\u0301 \u1112\u1161\u11ab ﷺ \u212b"

    assert model.decode(model.encode(text)) == expected
    if normalization in ("nfc", "nfkc"):
        assert unicodedata.normalize(normalization.upper(), text) == expected


@pytest.fixture(scope="module")
def composing():
    """A model with NFC."""
    return trained(vocabulary_size=330, normalization="nfc")


def test_nfc_composes_every_character_of_unicode(composing):
    everything = [each for each in map(chr, range(0x110000)) if not "\ud800" <= each <= "\udfff"]
    changed = [each for each in everything if unicodedata.normalize("NFD", each) != each]
    assert len(changed) > 12_000  # with all syllables of Hangul

    ids = composing.encode_batch([unicodedata.normalize("NFD", each) for each in changed])

    assert [composing.decode(each) for each in ids] == [
        unicodedata.normalize("NFC", each) for each in changed
    ]


@given(st.text(st.sampled_from("aeouU\u0302\u0301\u0323\u031b\u0308한글\u1112\u1161\u11ab가 ")))
def test_nfc_is_that_of_unicode_where_marks_compose(composing, text):
    expected = unicodedata.normalize("NFC", text)
    if any(unicodedata.combining(each) for each in expected):
        return  # marks that no character has keep their order
    assert composing.decode(composing.encode(text)) == " ".join(expected.split())


def test_500_pairs_with_signs_are_kept(keeping):
    lines = [f"size {n} m² … {n % 7} ½" for n in range(500)]

    assert [keeping.decode(each) for each in keeping.encode_batch(lines)] == lines


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"byte_fallback": True}, []),
        (
            {},
            [
                "source text that the tokenizer lacks or changes, with how often they occur: "
                "U+6F22 漢 2, U+0301 1, U+200B 1"
            ],
        ),
        (
            {"normalization": "nfkc"},
            [
                "source text that the tokenizer lacks or changes, with how often they occur: "
                "U+00B2 ² 20, U+2026 … 20, U+6F22 漢 2, U+0301 1, U+200B 1",
                "target text that the tokenizer lacks or changes, with how often they occur: "
                "U+2026 … 40",
            ],
        ),
    ],
)
def test_characters_that_are_not_kept_are_reported_with_their_counts(options, expected):
    training = {"source": ["m² …\n  e"] * 20, "target": ["m … …"] * 20}
    validation = {"source": ["漢 漢 e\u0301\u200b"], "target": ["m"]}
    config = {"kind": "bpe", "vocabulary_size": 12, "byte_fallback": False, **options}
    if options.get("byte_fallback"):
        config["vocabulary_size"] += 256
    tokenizers = tokenizer_training.train(*training.values(), TrainedTokenizerConfig(**config))

    found = list(characters.report([training, validation], tokenizers))

    assert found == [f"characters of the {each}" for each in expected]


@pytest.mark.parametrize(("normalization", "changed"), [("nfc", 3), ("identity", 0)])
def test_target_lines_that_would_be_written_in_nfc_are_counted(normalization, changed):
    lines = ["the\u0301 noir", "thé noir", "café"] * 3
    config = TrainedTokenizerConfig(
        kind="bpe", vocabulary_size=280, normalization=normalization, byte_fallback=True
    )
    tokenizers = tokenizer_training.train(lines, lines, config)

    found = list(characters.report([{"source": lines, "target": lines}], tokenizers))

    written = f"lines of the target text that the tokenizer writes in NFC: {changed};"
    assert found == [f"{written} compare translations with references in NFC"] * (changed > 0)


def test_a_report_names_the_most_frequent(keeping):
    lines = ["".join(chr(0x4E00 + n) * (20 - n) for n in range(12))]
    config = TrainedTokenizerConfig(kind="bpe", vocabulary_size=12, byte_fallback=False)
    tokenizers = tokenizer_training.train(["a b c"] * 9, ["bc ab abc"] * 9, config)

    (found,) = characters.report([{"source": lines, "target": []}], tokenizers)

    assert found.endswith(" U+4E09 三 11 and 2 more")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("<2fr> m 5 < 漢", {"5": 1, "<": 1, "漢": 1}),
        ("<2fr>m<2fr>", {}),
        ("²<2fr>²", {"²": 2}),
    ],
)
def test_characters_of_symbols_are_lost_outside_of_them_only(line, expected):
    config = TrainedTokenizerConfig(
        kind="bpe", vocabulary_size=11, byte_fallback=False, normalization="nfkc"
    )
    lines = ["m mm <2fr> 2 m2"] * 9
    model = tokenizer_training.train(lines, lines, config, symbols=["<2fr>"]).source

    assert characters.lost([line], model) == expected


def test_a_model_of_whole_words_loses_the_characters_of_other_words(tmp_path):
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["der Hund"] * 9),
        model_prefix=str(tmp_path / "words"),
        model_type="word",
        vocab_size=5,
        minloglevel=3,
    )
    model = Tokenizer.load(tmp_path / "words.model")

    assert characters.lost(["der Hund", "der Rund"], model) == {"R": 1, "u": 1, "n": 1, "d": 1}


SYMBOLS = ("<2en>", "%1$s", "a,b", '"q"', "漢字")


@pytest.mark.parametrize("kind", ["unigram", "bpe"])
def test_symbols_are_never_split_and_are_kept(kind):
    lines = [f"{symbol} size {n} of {symbol}{n}" for n in range(9) for symbol in SYMBOLS]
    config = TrainedTokenizerConfig(kind=kind, vocabulary_size=281, symbols=SYMBOLS)
    model = tokenizer_training.train(lines, lines, config).source
    text = '<2en> size %1$s of<2en> %1$s%1$s 漢字漢 a,b "q"s %1$ <2en'

    found = model.encode(text)

    assert [each for each in model.pieces(found) if each in SYMBOLS] == [
        "<2en>",
        "%1$s",
        "<2en>",
        "%1$s",
        "%1$s",
        "漢字",
        "a,b",
        '"q"',
    ]
    assert model.decode(found) == text


@pytest.mark.parametrize("kind", ["unigram", "bpe"])
@pytest.mark.parametrize("nbest_size", [-1, 64])
def test_symbols_are_never_split_in_sampling(kind, nbest_size):
    symbols = (*SYMBOLS, "BT")  # the characters of some are likely pieces
    lines = [f"{symbol} size {n} of {symbol}{n}" for n in range(9) for symbol in symbols]
    lines += [f"B{n} T {n} TB {word}" for n in range(40) for word in ("these", "sizes", "offset")]
    config = TrainedTokenizerConfig(kind=kind, vocabulary_size=296, symbols=symbols)
    model = tokenizer_training.train(lines, lines, config).source
    text = '<2en> these %1$s of<2en> %1$s%1$s 漢字漢 a,b "q"s BT TBTB %1$ <2en'

    sampling = SamplingConfig(alpha=0.01, nbest_size=nbest_size)
    sampled = model.sample_batch([text] * 500, sampling=sampling, seed=1)

    kept = re.findall('<2en>|%1\\$s|a,b|"q"|漢字|BT', text)
    for ids in sampled:
        assert model.decode(ids) == text
        assert [each for each in model.pieces(ids) if each in symbols] == kept
    assert len(set(map(tuple, sampled))) > 1


@pytest.mark.parametrize(
    ("symbols", "message"),
    [
        ([""], r"tokenizer: `symbols`: '' is empty or has a space; a piece has none inside"),
        (["a b"], r"'a b' is empty or has a space"),
        (["a\u3000b"], r"is empty or has a space"),
        (["▁a"], r"'▁a' is empty or has a space"),
        (["<s>"], r"'<s>' is a piece already; leave it out"),
        (["<0x0A>"], r"'<0x0A>' is a piece already"),
        (["x", "y", "x"], r"'x' is a piece already"),
    ],
)
def test_symbols_that_cannot_be_are_refused(symbols, message):
    with pytest.raises(ConfigError, match=message):
        configfile.validate(
            {"data": {"train": "a", "validation": "b"}, "tokenizer": {"symbols": symbols}}
        )


def test_a_symbol_that_the_training_text_has_not_is_named():
    with pytest.warns(
        UserWarning, match=r"^tokenizer\.symbols: the training text has no '<2fr>', "
    ):
        trained(vocabulary_size=331, symbols=("<2fr>", "m²"))


def test_a_vocabulary_too_small_for_bytes_says_what_to_do():
    message = (
        r"^tokenizer\.vocabulary_size is 100: the characters of the training text and the 256 "
        r"bytes of tokenizer\.byte_fallback alone need (\d+); set it to that or more, set "
        r"tokenizer\.byte_fallback=false, or lower tokenizer\.character_coverage$"
    )
    with pytest.raises(DataError, match=message) as caught:
        trained(vocabulary_size=100)

    needed = int(re.search(message, str(caught.value))[1])
    assert trained(vocabulary_size=needed).size == needed


def test_two_vocabulary_sizes_are_those_of_source_and_target():
    config = TrainedTokenizerConfig(vocabulary_size=[300, 290], joint=False)

    tokenizers = tokenizer_training.train(
        LINES,
        ["size m"] * 50,
        config.model_copy(update={"kind": "bpe", "vocabulary_size": (320, 268)}),
    )

    assert (tokenizers.source.size, tokenizers.target.size) == (320, 268)


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        (
            {"vocabulary_size": [8000, 4000]},
            r"^config: tokenizer: two numbers in `vocabulary_size` are of two models: set `joint: ",
        ),
        *(
            (
                {"vocabulary_size": size, "joint": False},
                r"^config: tokenizer.vocabulary_size: expected an integer from 8 on, or two in a "
                r"list, of source and target, not ",
            )
            for size in (7, "x", [8000], [8000, 7], [8, 8, 8], None)
        ),
    ],
)
def test_vocabulary_sizes_that_cannot_be_are_refused_in_one_line(tree, message):
    with pytest.raises(ConfigError, match=message) as caught:
        configfile.validate({"data": {"train": "a", "validation": "b"}, "tokenizer": tree})
    assert "\n" not in str(caught.value)
