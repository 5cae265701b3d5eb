"""SentencePiece models of any origin: other ids, special pieces, normalizers, kinds and spaces."""

import io

import pytest
import sentencepiece
from tiny import letters, tree, write_side_by_side

from nmt import Translator, configfile
from nmt.config import SamplingConfig
from nmt.data.tokenizer import Tokenizer
from nmt.training.session import train

LINES = letters(200, longest=6, seed=2)
KINDS = {
    "as SentencePiece has it, XLM-R": {},
    "T5": {"pad_id": 0, "eos_id": 1, "unk_id": 2, "bos_id": -1},
    "Marian": {"eos_id": 0, "unk_id": 1, "bos_id": -1, "pad_id": -1},
    "no special pieces": {"bos_id": -1, "eos_id": -1, "pad_id": -1},
    "the padding at the end": {"pad_id": 3},
    "a pad of the user": {"pad_id": -1, "user_defined_symbols": ["<pad>"]},
    "other names": {"bos_piece": "[CLS]", "eos_piece": "[SEP]", "unk_piece": "[UNK]"},
    "another surface": {"unk_surface": "?"},
    "spaces behind words": {"treat_whitespace_as_suffix": True},
    "no space in front": {"add_dummy_prefix": False},
    "spaces as they are": {"remove_extra_whitespaces": False},
    "case folded": {"normalization_rule_name": "nmt_nfkc_cf"},
    "bytes": {"byte_fallback": True, "vocab_size": 290},
    "words": {"model_type": "word"},
    "characters": {"model_type": "char"},
    "bpe": {"model_type": "bpe"},
}
IDS = {  # by SentencePiece itself; a piece that it lacks comes after its own 18
    "as SentencePiece has it, XLM-R": {"unk": 0, "bos": 1, "eos": 2, "pad": 18},
    "T5": {"pad": 0, "eos": 1, "unk": 2, "bos": 18},
    "Marian": {"eos": 0, "unk": 1, "pad": 18, "bos": 19},
    "no special pieces": {"unk": 0, "pad": 18, "bos": 19, "eos": 20},
    "the padding at the end": {"unk": 0, "bos": 1, "eos": 2, "pad": 3},
    "a pad of the user": {"unk": 0, "bos": 1, "eos": 2, "pad": 3},
}


def model(kind, **more):
    written = io.BytesIO()
    options = {"vocab_size": 20, "hard_vocab_limit": False, **KINDS[kind], **more}
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(LINES), model_writer=written, minloglevel=3, **options
    )
    return written.getvalue()


@pytest.mark.parametrize("kind", IDS)
def test_ids_are_those_of_the_model_and_missing_ones_come_after_them(kind):
    found = Tokenizer(model(kind, model_type="bpe", hard_vocab_limit=True, vocab_size=18))

    assert {name: getattr(found, name) for name in ("pad", "unk", "bos", "eos")} == IDS[kind]
    assert found.size == max(18, *(i + 1 for i in IDS[kind].values()))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_model_encodes_and_decodes(kind):
    side = Tokenizer(model(kind))
    special = {side.pad, side.unk, side.bos, side.eos}
    everything = list(range(side.size))

    assert len(special) == 4
    assert special <= set(everything)
    assert side.pieces([side.eos]) == ["</s>"]
    assert side.ids(side.pieces(everything)) == everything
    for line in LINES:
        ids = side.encode(line)
        assert not special & set(ids)
        assert side.decode([side.bos, *ids, side.eos, side.pad, side.pad]) == line
        spans = side.decoded_offsets([side.bos, *ids, side.eos, side.pad])
        assert "".join(line[slice(*span)] for span in spans) == line
        assert len(side.offsets(line)) == len(ids)


@pytest.mark.parametrize("kind", [each for each in KINDS if each not in ("words", "characters")])
def test_every_kind_of_model_samples_the_same_text(kind):
    side = Tokenizer(model(kind))

    sampled = side.sample_batch(LINES, sampling=SamplingConfig(alpha=0.3), seed=1)

    assert [side.decode(each) for each in sampled] == LINES
    assert sampled != side.encode_batch(LINES)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["T5", "Marian"])
def test_a_network_learns_to_copy_with_such_a_model(kind, tmp_path):
    lines = letters(2050, longest=6, seed=1)
    for name, part in {"train": lines[:2000], "val": lines[2000:]}.items():
        write_side_by_side(tmp_path, name, part, part)
    (tmp_path / "foreign.model").write_bytes(model(kind, model_type="bpe"))
    settings = tree(
        tmp_path / "run",
        tmp_path,
        sentences=64,
        sizes=(16, 16, 32),
        dropout=0.0,
        learning_rate=1e-2,
        max_epochs=4,
        validate_every=128,
    )

    run = train(
        configfile.validate({**settings, "tokenizer": {"model": str(tmp_path / "foreign.model")}})
    )

    translator = Translator.load(run.path)
    found = translator.translate([*lines[2000:], "a 😆 b", ""])
    same = [each.text == each.source for each in found]
    assert sum(same) >= 0.95 * len(same)
    assert (found[-2].text, found[-1].text) == ("a 😆 b", "")
    for each, again in zip(
        found, translator.align([e.source for e in found], [e.text for e in found]), strict=True
    ):
        assert each.target_pieces == again.target_pieces
        assert each.score == pytest.approx(again.score, abs=1e-4)
