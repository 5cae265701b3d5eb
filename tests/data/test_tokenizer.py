"""The SentencePiece stage: ids and back, sampling from a seed, files, and every refusal."""

import base64
import io
import re
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
import sentencepiece
from hypothesis import given
from hypothesis import strategies as st
from sentencepiece.sentencepiece_model_pb2 import ModelProto

from nmt.config import (
    JointModelConfig,
    SamplingConfig,
    SeparateModelsConfig,
    TrainedTokenizerConfig,
)
from nmt.data import tokenizer_training
from nmt.data.tokenizer import Tokenizer
from nmt.data.tokenizer_training import sample
from nmt.data.tokenizers import Tokenizers
from nmt.errors import DataError

GERMAN = [
    f"{who} {does} {what} {where}."
    for who in ("Der Hund", "Die Katze", "Ein alter Mann", "Das kleine Mädchen")
    for does in ("sucht", "findet", "verliert", "braucht")
    for what in ("einen Ball", "die Zeitung", "kalte Milch")
    for where in ("im Garten", "am Fluss", "hinter dem Haus")
]
ENGLISH = [
    f"{who} {does} {what} {where}."
    for who in ("The dog", "The cat", "An old man", "The little girl")
    for does in ("seeks", "finds", "loses", "needs")
    for what in ("a ball", "the newspaper", "cold milk")
    for where in ("in the garden", "by the river", "behind the house")
]
ALPHABET = "".join(sorted(set("".join(GERMAN + ENGLISH)) - {" "}))
SAMPLING = SamplingConfig(alpha=0.1)


@pytest.fixture(scope="module")
def joint():
    return tokenizer_training.train(
        GERMAN, ENGLISH, TrainedTokenizerConfig(vocabulary_size=75, byte_fallback=False)
    )


@pytest.fixture(scope="module")
def separate():
    config = TrainedTokenizerConfig(
        kind="bpe", vocabulary_size=50, joint=False, byte_fallback=False
    )
    return tokenizer_training.train(GERMAN, ENGLISH, config)


def foreign_model(**options):
    """A model of other origin, with SentencePiece's own ids."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(GERMAN), model_writer=model, vocab_size=50, minloglevel=3, **options
    )
    return model.getvalue()


words = st.text(ALPHABET, min_size=1, max_size=8)


@given(st.lists(words, max_size=6).map(" ".join))
def test_text_over_the_alphabet_survives_the_round_trip(joint, text):
    ids = joint.source.encode(text)

    assert joint.source.decode(ids) == text


@given(st.lists(st.text(max_size=20), max_size=5))
def test_a_batch_is_its_texts_one_by_one(joint, texts):
    batch = joint.source.encode_batch(texts)

    assert batch == [joint.source.encode(text) for text in texts]
    assert all(0 <= i < joint.source.size for ids in batch for i in ids)


def test_pieces_put_together_are_the_text(joint):
    pieces = joint.source.pieces(joint.source.encode("Der Hund sucht."))

    assert "".join(pieces).replace("▁", " ").strip() == "Der Hund sucht."


def test_encoding_adds_no_special_ids_and_decoding_drops_them(joint):
    model = joint.target
    ids = model.encode("The dog seeks.")

    assert not {model.pad, model.bos, model.eos} & set(ids)
    assert model.decode([model.bos, *ids, model.eos, model.pad, model.pad]) == "The dog seeks."


def test_an_unknown_character_is_seen_as_such(joint):
    ids = joint.source.encode("Hund 漢")

    assert joint.source.unk in ids
    assert "⁇" in joint.source.decode(ids)


def test_bytes_stand_in_for_unknown_characters():
    config = TrainedTokenizerConfig(vocabulary_size=330, byte_fallback=True)
    model = tokenizer_training.train(GERMAN, ENGLISH, config).source

    ids = model.encode("Hund 漢")

    assert model.unk not in ids
    assert model.decode(ids) == "Hund 漢"


@pytest.mark.parametrize("kind", ["unigram", "bpe"])
def test_a_trained_model_has_the_size_and_the_ids_asked_for(kind):
    model = tokenizer_training.train(
        GERMAN, ENGLISH, TrainedTokenizerConfig(kind=kind, vocabulary_size=75, byte_fallback=False)
    ).source

    assert model.size == 75
    assert (model.pad, model.unk, model.bos, model.eos) == (0, 1, 2, 3)
    assert model.pieces([0, 1, 2, 3]) == ["<pad>", "<unk>", "<s>", "</s>"]


def test_separate_models_know_their_own_side_only(separate):
    assert not separate.joint
    assert separate.source.unk not in separate.source.encode("Mädchen")
    assert separate.target.unk in separate.target.encode("Mädchen")


def test_one_joint_model_serves_both_sides(joint):
    assert joint.joint
    assert joint.source.encode("Hund") == joint.target.encode("Hund")


def test_training_again_in_another_process_gives_the_same_model(joint):
    program = (
        "from nmt.config import TrainedTokenizerConfig\n"
        "from nmt.data import tokenizer_training\n"
        f"german, english = {GERMAN!r}, {ENGLISH!r}\n"
        "config = TrainedTokenizerConfig(vocabulary_size=75, byte_fallback=False)\n"
        "print(tokenizer_training.train(german, english, config).fingerprint)"
    )

    other = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)

    assert other.stdout.decode().strip() == joint.fingerprint
    assert other.stderr == b""


def test_the_fingerprint_knows_the_sides(separate):
    swapped = Tokenizers(separate.target, separate.source)

    assert swapped.fingerprint != separate.fingerprint


def test_the_same_seed_draws_the_same_segmentations_whatever_came_before(joint):
    model = joint.source
    first = model.sample_batch(GERMAN, sampling=SAMPLING, seed=7)

    model.sample_batch(ENGLISH * 3, sampling=SAMPLING, seed=8)
    model.encode_batch(GERMAN)

    assert model.sample_batch(GERMAN, sampling=SAMPLING, seed=7) == first


def test_concurrent_draws_keep_to_their_seeds(joint):
    model = joint.source

    def draw(seed):
        return model.sample_batch(GERMAN, sampling=SAMPLING, seed=seed)

    alone = [draw(seed) for seed in range(20)]
    with ThreadPoolExecutor(max_workers=4) as threads:
        together = list(threads.map(draw, range(20)))

    assert together == alone


@pytest.mark.parametrize("kind", ["unigram", "bpe"])
def test_other_seeds_draw_other_segmentations_of_the_same_text(kind):
    config = TrainedTokenizerConfig(kind=kind, vocabulary_size=75, byte_fallback=False)
    model = tokenizer_training.train(GERMAN, ENGLISH, config).source

    draws = [model.sample_batch(GERMAN, sampling=SAMPLING, seed=seed) for seed in range(10)]

    assert len({str(draw) for draw in draws}) == 10
    assert all([model.decode(ids) for ids in draw] == GERMAN for draw in draws)


def test_fewer_candidates_draw_fewer_segmentations(joint):
    def distinct(candidates):
        sampling = SamplingConfig(alpha=0.1, nbest_size=candidates)
        draws = joint.source.sample_batch(["Garten"] * 300, sampling=sampling, seed=1)
        return len({tuple(ids) for ids in draws})

    assert distinct(2) == 2
    assert distinct(-1) > 2


def test_save_and_load_give_the_same_models(joint, separate, tmp_path):
    joint.save(tmp_path / "one")
    separate.save(tmp_path / "two")

    assert [path.name for path in (tmp_path / "one").iterdir()] == ["joint.model"]
    assert Tokenizers.load(tmp_path / "one").joint
    assert Tokenizers.load(tmp_path / "one").fingerprint == joint.fingerprint
    assert Tokenizers.load(tmp_path / "two").fingerprint == separate.fingerprint


def test_existing_models_are_taken_as_they_are(separate, tmp_path):
    separate.save(tmp_path)
    source, target = str(tmp_path / "source.model"), str(tmp_path / "target.model")

    one = tokenizer_training.train([], [], JointModelConfig(model=source))
    two = tokenizer_training.train(
        [], [], SeparateModelsConfig(source_model=source, target_model=target)
    )

    assert one.joint
    assert one.source.fingerprint == separate.source.fingerprint
    assert two.fingerprint == separate.fingerprint


def test_a_model_with_other_ids_keeps_them():
    model = Tokenizer(foreign_model(pad_id=3))

    assert (model.unk, model.bos, model.eos, model.pad) == (0, 1, 2, 3)


@pytest.mark.parametrize("damage", [b"", b"text, not a model", "cut"])
def test_a_damaged_model_is_named(joint, damage, tmp_path):
    joint.save(tmp_path)
    path = tmp_path / "joint.model"
    path.write_bytes(path.read_bytes()[:-1] if damage == "cut" else damage)

    with pytest.raises(DataError, match=r"joint\.model: not a SentencePiece model"):
        Tokenizers.load(tmp_path)


def test_a_model_whose_pieces_are_no_text_is_named(joint):
    damaged = joint.source._model.replace("ä".encode(), b"\xc3(")

    with pytest.raises(DataError, match="not a SentencePiece model"):
        Tokenizer(damaged)


def test_a_model_that_sentencepiece_alone_can_read_draws_nothing():
    # Found by fuzzing: the key of the second field of a piece is damaged.
    lax = Tokenizer(
        base64.b64decode(
            "Cg4KBTxwYWQ+FQAAAAAYAwoOCgU8dW5rPhUAAAAAGAIKDAoDPHM+FQAAAAAYAwoNCgQ8L3M+FQAAAAAYAwoICgFh"
            "FQAIAADBCgEKaRUAABDBCggKAXIVAACAwQoICgFzFQAA0RSIwZjBEiEYAiAY0AID2AIAGgwKCG5tdF9uZmtjEgA="
        )
    )

    with pytest.raises(DataError, match=r"^the tokenizer model is damaged: put the original \.mod"):
        lax.sample_batch(["a"], sampling=SAMPLING, seed=1)


def test_a_model_of_symbols_alone_draws_nothing():
    model = ModelProto.FromString(foreign_model(pad_id=3))
    del model.pieces[5:]
    model.pieces[4].type = ModelProto.SentencePiece.USER_DEFINED

    with pytest.raises(DataError, match=r"this tokenizer model of kind unigram has one segmentat"):
        Tokenizer(model.SerializeToString()).sample_batch(["a"], sampling=SAMPLING, seed=1)


def test_a_missing_model_is_named(separate, tmp_path):
    with pytest.raises(DataError, match=r"holds neither joint\.model nor source\.model$"):
        Tokenizers.load(tmp_path)

    separate.source.save(tmp_path / "source.model")
    with pytest.raises(DataError, match=r"target\.model: no such tokenizer model$"):
        Tokenizers.load(tmp_path)


def test_a_file_of_an_absurd_size_is_not_read(tmp_path):
    path = tmp_path / "joint.model"
    with path.open("wb") as file:
        file.truncate(1 << 40)

    with pytest.raises(DataError, match=r"joint\.model: 1,099,511,627,776 bytes are too many for "):
        Tokenizers.load(tmp_path)


def test_a_folder_is_no_model(tmp_path):
    with pytest.raises(DataError, match=r"cannot be read \(Is a directory\)$"):
        Tokenizer.load(tmp_path)


@pytest.mark.parametrize("kind", ["unigram", "bpe"])
def test_the_sizes_that_a_refusal_names_are_possible(kind):
    def refusal(size):
        with pytest.raises(DataError, match=f"^tokenizer.vocabulary_size is {size}: ") as caught:
            tokenizer_training.train(
                GERMAN,
                ENGLISH,
                TrainedTokenizerConfig(kind=kind, vocabulary_size=size, byte_fallback=False),
            )
        return str(caught.value)

    largest = re.search(r"the training text gives (\d+) pieces at most", refusal(5000))
    smallest = re.search(r"characters of the training text alone need (\d+);", refusal(8))

    for found in (largest, smallest):
        config = TrainedTokenizerConfig(
            kind=kind, vocabulary_size=int(found[1]), byte_fallback=False
        )
        assert tokenizer_training.train(GERMAN, ENGLISH, config).source.size == int(found[1])


def test_a_refusal_names_the_side():
    config = TrainedTokenizerConfig(
        kind="bpe", vocabulary_size=60, joint=False, byte_fallback=False
    )

    with pytest.raises(DataError, match=r"the target text gives"):
        tokenizer_training.train(GERMAN, ["no"] * 10, config)


@pytest.mark.parametrize("text", [[], ["", " "]])
def test_nothing_to_train_from_is_refused(text):
    with pytest.raises(DataError, match=r"^the training text is empty"):
        tokenizer_training.train(text, text, TrainedTokenizerConfig())


def test_very_long_lines_and_odd_characters_are_trained_on():
    long_line = "ß" * 3000 + " " + "word " * 2000
    odd = ["NUL \0 here", "two\nlines", "next\x85line", "e\u0301", "\u2028"]
    config = TrainedTokenizerConfig(vocabulary_size=36, byte_fallback=False)

    model = tokenizer_training.train([*odd, long_line], ["quick brown fox jumps"], config).source

    assert model.unk not in model.encode("ß")
    assert model.encode_batch(odd)[1] == model.encode("two lines")


def test_a_line_with_the_block_that_sentencepiece_keeps_for_itself_is_trained_on():
    config = TrainedTokenizerConfig(vocabulary_size=50, byte_fallback=False)

    model = tokenizer_training.train(
        ["▅ " + line for line in GERMAN], ["▂▅Ж no"] * 9, config
    ).target

    assert model.unk not in model.encode("".join(sorted({*"".join(GERMAN)})) + "▂Ж")


def test_a_sample_is_everything_or_an_even_draw():
    sentences = [str(number) for number in range(40)]

    assert sample(iter(sentences), 40) == sentences
    drawn = sample(iter(sentences), 10)
    assert len(set(drawn)) == 10
    assert drawn == sample(iter(sentences), 10)


def test_every_sentence_has_the_same_chance_to_be_drawn():
    # Each block of a long stream should fill a quarter of the sample: 250 +- 14 (binomial).
    blocks = [str(number * 4 // 20_000) for number in range(20_000)]

    counts = Counter(sample(blocks, 1000))

    assert all(190 < counts[block] < 310 for block in "0123")


def test_the_embedded_corpus_needs_no_unknown_piece(embedded_tokenizers):
    from nmt.data import embedded

    for pair in embedded.pairs("train")[:100]:
        ids = embedded_tokenizers.source.encode(pair.source)
        assert embedded_tokenizers.source.unk not in ids
        assert embedded_tokenizers.source.decode(ids) == pair.source


def test_a_vocabulary_of_real_captions_leaves_them_unchanged(shared_data):
    captions = {
        language: (shared_data / "multi30k" / f"val.{language}").read_text("utf-8").split("\n")
        for language in ("de", "en")
    }

    config = TrainedTokenizerConfig(kind="bpe", vocabulary_size=1000)
    model = tokenizer_training.train(captions["de"], captions["en"], config).source
    decoded = [model.decode(ids) for ids in model.encode_batch(captions["de"])]

    # Runs of spaces become one: the only change that there is.
    assert decoded == [re.sub(" +", " ", line).strip(" ") for line in captions["de"]]


@given(st.lists(words, max_size=5).map(" ".join))
def test_offsets_cut_a_plain_line_where_its_pieces_do(joint, text):
    ids = joint.source.encode(text)

    found = joint.source.offsets(text)

    assert ["".join(text[begin:end].split()) for begin, end in found] == [
        piece.replace("▁", "") for piece in joint.source.pieces(ids)
    ]
    assert joint.source.decoded_offsets(ids) == found


def test_offsets_count_characters_of_what_was_given(joint):
    # Two spaces are normalized to one, the ligature to two letters; 你 is unknown and kept whole.
    found = joint.source.offsets("  ﬁ 你")

    assert found[-1] == (4, 5)
    assert [(begin, end) for begin, end in found if end > begin] == [(2, 3), (3, 4), (4, 5)]


def test_offsets_of_what_was_decoded_count_the_mark_of_the_unknown(joint):
    ids = joint.target.encode("你 dog")

    text = joint.target.decode(ids)

    assert "".join(text[begin:end] for begin, end in joint.target.decoded_offsets(ids)) == text
    assert "⁇" in text


def test_ids_are_those_of_the_pieces(separate):
    for side in (separate.source, separate.target):
        everything = list(range(side.size))
        assert side.ids(side.pieces(everything)) == everything
