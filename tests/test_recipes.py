"""Recipes follow the number of pairs, and the configuration that is written says what they are."""

import math
import random
import re
import unicodedata
from dataclasses import astuple, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nmt import beginning, configfile, recipes
from nmt.config import CorpusConfig, TrainedTokenizerConfig
from nmt.data import tokenizer_training
from nmt.data.survey import Side, Survey, survey

LATIN = Side(
    words=11.0, long_words=25, characters=70.0, long_characters=140, distinct=90, common=60,
    script="Latn", vocabulary=30_000, form="NFC",
)  # fmt: skip
CHINESE = Side(
    words=1.2, long_words=3, characters=28.0, long_characters=70, distinct=5_000, common=3_000,
    script="Hani", vocabulary=90_000, form="NFC",
)  # fmt: skip
CAPTIONS = Survey(
    pairs=29_000, empty=0, identical=0, validation=1_000, known=0, source=LATIN, target=LATIN
)
PATHS = {
    "train": CorpusConfig(path="DIR/train"),
    "validation": CorpusConfig(source="DIR/val.es", target="DIR/val.en"),
}
KEYS = ["max_length", "batch", "vocabulary_size", "joint", "dropout", "tied_embeddings"]
KEYS += ["schedule", "max_epochs", "validate_every", "patience"]


def unread():
    pytest.fail("a text of so many words gives enough pieces: it need not be read again")


def written(found=CAPTIONS, *, pieces=None, languages=("es", "en"), corpora=PATHS, **options):
    pieces = pieces or recipes.tokenizer(found, unread)
    return beginning.configuration(
        found, pieces, languages=languages, corpora=corpora, name="es-en.yaml", **options
    )


def loaded(folder, text):
    (folder / "es-en.yaml").write_text(text, encoding="utf-8")
    return configfile.load(folder / "es-en.yaml")


@pytest.mark.parametrize(
    ("pairs", "vocabulary", "dropout", "words"),
    [
        (1, 2_000, 0.5, 0),
        (9_999, 2_000, 0.5, 0),
        (10_000, 8_000, 0.3, 0),
        (49_999, 8_000, 0.3, 0),
        (50_000, 8_000, 0.3, 0.1),
        (199_999, 8_000, 0.3, 0.1),
        (200_000, 16_000, 0.2, 0),
        (999_999, 16_000, 0.2, 0),
        (1_000_000, 32_000, 0.1, 0),
        (100_000_000, 32_000, 0.1, 0),
    ],
)
def test_the_recipe_is_that_of_the_number_of_pairs(tmp_path, pairs, vocabulary, dropout, words):
    many = replace(LATIN, vocabulary=100_000)
    text = written(replace(CAPTIONS, pairs=pairs, source=many, target=many))

    config = loaded(tmp_path, text)
    assert config.tokenizer.vocabulary_size == vocabulary
    assert config.model.dropout.rate == dropout
    assert config.model.dropout.source_words == config.model.dropout.target_words == words
    chosen = recipes.recipe(pairs)
    assert config.model.embedding_size == chosen.embedding
    assert config.model.encoder.hidden_size == chosen.encoder
    assert config.model.decoder.hidden_size == chosen.decoder


def test_more_text_has_a_larger_network_and_less_dropout():
    for less, more in zip(recipes.RECIPES, recipes.RECIPES[1:], strict=False):
        assert less.below < more.below
        assert less.dropout >= more.dropout
        for name in ("vocabulary", "embedding", "encoder", "decoder", "batch"):
            assert getattr(less, name) <= getattr(more, name)
    assert math.isinf(recipes.RECIPES[-1].below)


def test_a_small_network_is_for_the_same_text_and_no_more_work():
    for small, large in zip(recipes.SMALL, recipes.RECIPES, strict=True):
        assert (small.below, small.vocabulary) == (large.below, large.vocabulary)
        for name in ("embedding", "encoder", "decoder", "dropout", "words", "batch", "updates"):
            assert getattr(small, name) <= getattr(large, name)


@pytest.mark.parametrize("small", [False, True])
def test_the_network_for_captions_is_the_one_that_was_measured(tmp_path, small):
    config = loaded(tmp_path, written(CAPTIONS, small=small))
    name = "multi30k-de-en-small.yaml" if small else "multi30k-de-en.yaml"
    shipped = configfile.load(Path(__file__).parents[1] / "configs" / name)

    assert config.model == shipped.model
    assert config.data.batch.sentences == shipped.data.batch.sentences == 64
    for key in ("max_epochs", "learning_rate", "schedule", "label_smoothing", "ema"):
        assert getattr(config.training, key) == getattr(shipped.training, key)


def test_the_small_network_for_short_sentences_is_the_one_that_was_measured(tmp_path):
    """164,000 pairs of Tatoeba, of 38 characters: see docs/results.md."""
    side = replace(LATIN, characters=37.7, long_characters=92)
    found = replace(CAPTIONS, pairs=163_926, source=side, target=replace(side, characters=32.2))

    config = loaded(tmp_path, written(found, small=True))

    assert config.model.decoder.hidden_size == 2 * config.model.encoder.hidden_size == 512
    assert (config.model.embedding_size, config.model.dropout.rate) == (256, 0.2)
    assert (config.data.batch.sentences, config.training.max_epochs) == (64, 4)
    assert (config.training.learning_rate, config.training.ema) == (2e-3, 0.999)
    assert config.training.schedule.warmup_steps == 400


def test_the_page_has_the_table():
    page = Path(__file__).parents[1] / "docs" / "starting.md"
    rows = re.findall(r"^\| (?:to ([\d,]+)|more) \| (.*) \|$", page.read_text("utf-8"), re.M)

    numbers = [re.split(r", | \| ", f"{below or 'inf'} | {rest}") for below, rest in rows]
    assert [[float(each.replace(",", "")) for each in row] for row in numbers] == [
        [*astuple(each)[:-3]]  # but for the rate, the warm-up and input feeding
        for each in (*recipes.RECIPES, *recipes.SMALL)
    ]


@pytest.mark.parametrize(
    ("pairs", "characters", "sentences", "batches", "epochs"),
    [
        (29_000, 70.0, 64, 454, 10),  # 1,000 pieces of 18.5 a sentence; 4,500 updates
        (29_000, 300.0, 16, 1_813, 3),  # 13 sentences of 76 pieces
        (29_000, 4.0, 256, 114, 40),  # not more sentences
        (1, 70.0, 16, 1, 150),  # not more epochs
        (100, 70.0, 64, 2, 150),
        (160_000, 70.0, 128, 1_250, 24),
        (50_000_000, 70.0, 256, 195_313, 3),  # not fewer epochs
    ],
)
def test_an_epoch_has_so_many_batches(pairs, characters, sentences, batches, epochs):
    side = replace(LATIN, characters=characters)

    survey = replace(CAPTIONS, pairs=pairs, source=side, target=side)
    found = recipes.Schedule.of(survey, recipes.recipe(pairs))

    assert (found.sentences, found.batches, found.epochs) == (sentences, batches, epochs)
    assert found.warmup <= found.updates / 10
    assert found.validate_every % 100 == 0
    assert 1 <= found.updates / found.validate_every <= 50 or found.updates < 2_500


@pytest.mark.parametrize(
    ("characters", "length"), [(10, 100), (297, 100), (298, 150), (600, 250), (9_000, 250)]
)
def test_few_lines_are_longer_than_the_maximum(characters, length):
    # A piece has three characters at the least, and one piece ends the line.
    found = replace(CAPTIONS, target=replace(LATIN, long_characters=characters), source=CHINESE)
    chinese = replace(CAPTIONS, source=replace(CHINESE, long_characters=149))

    assert recipes.max_length(found, 8_000) == length
    assert recipes.max_length(chinese, (8_000, 12_000)) == 150  # 1.5 characters each


@pytest.mark.parametrize(
    ("size", "script", "length", "pieces"),
    [
        (8_000, "Latn", 240, None),
        (8_000, "Latn", 900, 301),  # three characters each
        (7_999, "Latn", 240, None),
        (7_999, "Latn", 300, 301),  # no more pieces than characters
        (7_999, "Hani", 300, 301),
        (8_000, "Hani", 300, None),  # 1.5 characters each
    ],
)
def test_lines_that_may_be_left_out_are_warned_of(size, script, length, pieces):
    side = replace(LATIN, script=script, long_characters=length)
    settings = TrainedTokenizerConfig(vocabulary_size=size)

    found = list(beginning.warnings(replace(CAPTIONS, source=side), settings))

    assert found == [
        f"lines may have up to {pieces} pieces, and training leaves out those of more than 250; "
        "divide them into sentences, or set a larger data.max_length"
    ] * (pieces is not None)


def test_text_without_letters_is_cleaned_by_the_other_rules(tmp_path):
    digits = replace(CAPTIONS, source=replace(LATIN, script=""), empty=2_000)

    text = written(digits, pieces=TrainedTokenizerConfig())

    assert "  clean: {min_letters: 0}  # 2,000 pairs have an empty side, 0 are not" in text
    assert loaded(tmp_path, text).data.clean.min_letters == 0


@pytest.mark.parametrize(
    ("pairs", "source", "joint", "size", "coverage"),
    [
        (29_000, LATIN, True, 8_000, 1.0),
        (29_000, replace(LATIN, script="Cyrl"), False, (8_000, 8_000), 1.0),
        # 3,000 characters, 261 bytes and special pieces, and half as many pieces as wanted
        (29_000, CHINESE, False, (8_000, 8_000), 0.9995),
        (5_000, CHINESE, False, (4_261, 2_000), 0.9995),
        (29_000, replace(CHINESE, distinct=1_900), False, (8_000, 8_000), 1.0),
    ],
)
def test_scripts_decide_on_the_models(pairs, source, joint, size, coverage):
    found = recipes.tokenizer(replace(CAPTIONS, pairs=pairs, source=source), unread)

    assert (found.joint, found.vocabulary_size) == (joint, size)
    assert found.character_coverage == coverage


def words(alphabet, count, *, seed=0, longest=6):
    """Returns so many sentences of random words, which differ nearly always."""
    draw = random.Random(seed)
    return [
        " ".join(
            "".join(draw.choices(alphabet, k=draw.randint(1, longest)))
            for _ in range(draw.randint(1, 8))
        )
        for _ in range(count)
    ]


LATIN_LETTERS, HAN = "abcdefghijklmnop", [chr(0x4E00 + number) for number in range(900)]
HANGUL = [chr(0xAC00 + 7 * number) for number in range(900)]
TEXTS = {
    "one pair": [("Der Hund schläft.", "The dog sleeps.")],
    "one letter": [("a", "b")],
    "two words": [("ja", "yes"), ("nein", "no")] * 300,
    "a few": list(zip(words("abcdß", 50), words("abcd", 50, seed=1), strict=True)),
    "many": list(zip(words(LATIN_LETTERS, 3000), words(LATIN_LETTERS, 3000, seed=1), strict=True)),
    "one Chinese sentence": [("我喝茶。", "I drink tea.")],
    "Chinese": [
        (line.replace(" ", ""), other)
        for line, other in zip(words(HAN, 400), words(LATIN_LETTERS, 400), strict=True)
    ],
    "Korean, decomposed": [
        (unicodedata.normalize("NFD", line), other)
        for line, other in zip(words(HANGUL, 400), words(LATIN_LETTERS, 400), strict=True)
    ],
    "Thai": list(zip(words("กขคงจฉชซ", 40, longest=30), words("abc", 40), strict=True)),
    "no letters": [("1 2 3", "4 5 6"), ("7 8", "9")],
}


@pytest.mark.parametrize("name", TEXTS)
def test_the_tokenizer_can_be_trained_on_the_text(name):
    pairs = TEXTS[name]

    settings = recipes.tokenizer(survey(pairs, pairs), lambda: pairs)

    trained = tokenizer_training.train(
        *([pair[place] for pair in pairs] for place in (0, 1)), settings
    )
    sizes = settings.vocabulary_size
    expected = sizes if isinstance(sizes, tuple) else (sizes, sizes)
    assert (trained.source.size, trained.target.size) == expected
    assert max(expected) <= 2_000
    assert trained.joint == settings.joint


def test_each_choice_has_a_comment_with_its_reason(tmp_path):
    text = written(replace(CAPTIONS, target=replace(LATIN, long_words=31)))

    for key in KEYS:
        assert re.search(rf"^  {key}: .*  # \w", text, re.M), key
    assert "  max_length: 100  # pieces; 99 of 100 lines have at most 25 and 31 words\n" in text
    assert "  # of 454 batches: 4,540 updates\n" in text
    assert "  joint: true  # both are in Latin\n" in text
    assert "for 10,000 to 50,000 pairs\n" in text
    assert text.startswith("# es to en: ")
    assert "\n#   nmt train es-en.yaml\n" in text
    config = loaded(tmp_path, text)
    assert config.model.tied_embeddings == "all"
    assert config.data.clean is None
    assert config.data.word_boundaries == "spaces"


@pytest.mark.parametrize(
    ("empty", "identical", "known", "comment"),
    [
        (0, 0, 0, None),
        (0, 289, 0, None),
        (0, 290, 9, "0 pairs have an empty side, 290 are not translated"),
        (500, 20, 500, "500 pairs have an empty side, 20 are not translated"),
        (0, 14_501, 0, None),  # they are meant to be copied
        (0, 0, 9, None),
        (0, 0, 10, "10 of 1,000 pairs of validation are in training"),
        (0, 0, 501, None),  # cleaning would leave little
    ],
)
def test_cleaning_is_suggested_where_there_is_something_to_clean(
    tmp_path, empty, identical, known, comment
):
    text = written(replace(CAPTIONS, empty=empty, identical=identical, known=known))

    assert (loaded(tmp_path, text).data.clean is not None) == (comment is not None)
    assert comment is None or f"\n  clean: true  # {comment}; `nmt clean` shows" in text


def test_a_few_pairs_are_not_cleaned():
    assert "clean" not in written(replace(CAPTIONS, pairs=999, identical=400))


def test_a_script_without_spaces_is_said_and_its_rarest_characters_too(tmp_path):
    text = written(replace(CAPTIONS, source=CHINESE), languages=("zh", "en"))

    config = loaded(tmp_path, text)
    assert config.data.word_boundaries == "unicode"
    assert config.model.tied_embeddings == "target"
    assert config.tokenizer.vocabulary_size == (8_000, 8_000)
    assert "  joint: false  # Han and Latin\n" in text
    assert "  # of 5,000 and 90 characters the rarest are written as bytes\n" in text


NAMES = st.from_regex(r"[^\W\d]\w{0,7}", fullmatch=True)
PATH = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=20)
CORPUS = st.one_of(
    st.builds(lambda path: CorpusConfig(path=path), PATH),
    st.builds(lambda source, target: CorpusConfig(source=source, target=target), PATH, PATH),
    st.builds(
        lambda path, columns: CorpusConfig(path=f"{path}.tsv", columns=columns),
        PATH,
        st.lists(PATH, min_size=2, max_size=2, unique=True),
    ),
)
CORPORA = st.fixed_dictionaries({"train": CORPUS, "validation": CORPUS}, optional={"test": CORPUS})


@given(languages=st.tuples(NAMES, NAMES), corpora=CORPORA)
def test_any_names_and_paths_are_read_back(tmp_path_factory, languages, corpora):
    pieces = TrainedTokenizerConfig(vocabulary_size=300)
    text = written(pieces=pieces, languages=languages, corpora=corpora)

    data = loaded(tmp_path_factory.getbasetemp(), text).data

    assert data.languages == languages
    assert {name: getattr(data, name) for name in corpora} == corpora


PAIRS = st.lists(
    st.tuples(*[st.text("abc é中ก.1", max_size=12).map(lambda text: f"a{text}")] * 2),
    min_size=1,
    max_size=6,
)


@given(PAIRS)
def test_any_text_gives_a_configuration_that_is_valid(tmp_path_factory, pairs):
    found = survey(pairs, pairs)
    pieces = recipes.tokenizer(found, lambda: pairs)

    config = loaded(tmp_path_factory.getbasetemp(), written(found, pieces=pieces))

    assert config.tokenizer == pieces
    assert config.data.batch.sentences >= 16
