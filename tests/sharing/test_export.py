"""A whole export: the bundle, its model card and its picture; all of it, or nothing."""

import os
import re
import shutil
from datetime import timedelta
from pathlib import Path

import pytest
import sacrebleu
import sentencepiece
from huggingface_hub import ModelCard
from PIL import Image
from tensorboardX.proto.event_pb2 import Event
from tensorboardX.record_writer import RecordWriter
from tiny import changed_run

from nmt import configfile
from nmt.bundle import Bundle
from nmt.config import CorpusConfig
from nmt.data.tokenizer import Tokenizer
from nmt.data.tokenizers import Tokenizers
from nmt.errors import DataError, RunError
from nmt.inference.translator import Translator
from nmt.info import describe
from nmt.run import Run
from nmt.sharing import card, cleaned
from nmt.sharing.card import Facts, Given, described
from nmt.sharing.export import export
from nmt.sharing.history import training_time

BLEU = "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:1.2.3"
GIVEN = Given("hf:user/letters", "cc0-1.0", "Letters | drawn at random.", "a b c d", test=True)


def write_times(folder, name, *times):
    """Writes a file of TensorBoard with a record at each time."""
    folder.mkdir(exist_ok=True)
    writer = RecordWriter(str(folder / f"events.out.tfevents.{name}"))
    for step, time in enumerate(times):
        writer.write(Event(wall_time=time, step=step).SerializeToString())
    writer.close()


@pytest.fixture(scope="module")
def run(copy_run, tmp_path_factory):
    """The run that copies, which has a test set, a log of one validation, and took 75 minutes."""
    folder = tmp_path_factory.mktemp("private") / "run"
    test = CorpusConfig(path=str(copy_run.parent / "val"))
    changed_run(copy_run, folder, test=test)
    run = Run.open(folder)
    step = run.progress("best").step
    record = f'{{"step": {step}, "validation/bleu": 12.345, "validation/bleu_signature": "{BLEU}"}}'
    run.metrics_path.write_text(f"{record}\n")
    write_times(folder / "tensorboard", "1", 1000.0, 1600.0, 4600.0)
    write_times(folder / "tensorboard", "2", 9000.0, 9900.0)
    return run


@pytest.fixture(scope="module")
def exported(run, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported") / "letters"
    export(run, folder, GIVEN)
    return folder


def test_the_hub_reads_the_metadata_of_the_card(run, exported):
    data = ModelCard.load(exported / "README.md").data

    pairs = [(run.config.data.test.path, end) for end in ("de", "en")]
    sources, references = (Path(f"{path}.{end}").read_text().splitlines() for path, end in pairs)
    texts = [each.text for each in Translator.load(run.path).translate(sources)]
    assert data.to_dict() | {"model-index": 0} == {
        "language": ["de", "en"],
        "license": "cc0-1.0",
        "library_name": "nmt",
        "pipeline_tag": "translation",
        "tags": ["translation", "attention", "recurrent"],
        "metrics": ["bleu", "chrf"],
        "model-index": 0,
    }
    validation, *test = data.eval_results
    assert (validation.dataset_name, validation.dataset_split) == ("val", "validation")
    assert (validation.metric_type, validation.metric_value) == ("bleu", 12.35)
    assert validation.metric_args == {"signature": BLEU}
    theirs = [
        score(texts, [references]) for score in (sacrebleu.corpus_bleu, sacrebleu.corpus_chrf)
    ]
    assert [each.metric_value for each in test] == [round(each.score, 2) for each in theirs]
    assert {each.dataset_split for each in test} == {"test"}


def test_the_card_describes_the_model(run, exported):
    text, escaped = (exported / "README.md").read_text(), BLEU.replace("|", r"\|")
    sizes = [each["count"] for each in describe(run)["parameters"]]

    for line in (
        "# user/letters",
        "translator = nmt.Translator.load('hf:user/letters')",
        "print(translator.translate('a b c d').text)",
        "or, in a shell, `nmt translate hf:user/letters FILE`.",
        f"| validation: val (in training, beam 1) | BLEU | 12.35 | `{escaped}` |",
        f"- **Parameters**: {sum(sizes):,}, stored as float32",
        "- **Training data**: Letters | drawn at random. (pairs of up to 100 pieces a side)",
        f"- **Training**: {run.progress('best').step:,} updates in 1 h 15 min",
        "- **License**: cc0-1.0",
    ):
        assert line in text.splitlines()
    assert "](attention.png)" in text
    with Image.open(exported / "attention.png") as picture:
        assert min(picture.size) > 200


def test_the_command_in_the_card_is_one_for_a_shell(tmp_path, copy_run):
    export(Run.open(copy_run), tmp_path / "my model", Given("my model", sentence="a b"))

    text = (tmp_path / "my model" / "README.md").read_text(encoding="utf-8")
    assert "or, in a shell, `nmt translate 'my model' FILE`." in text


def test_a_class_that_is_not_in_the_bundle_is_named_in_the_card(copy_bundle):
    bundle = Bundle.open(copy_bundle)
    tree = bundle.config.model_dump(mode="json")
    tree["model"]["attention"]["score"] = "plugin:Mine"
    tree["data"] |= {"source": "x1", "target": "zh-TW"}
    config = configfile.validate(tree)

    text = card.text(Given("mine"), Facts(config, bundle, 1, 1, timedelta(seconds=7), [], None))

    assert "The model needs the class `plugin:Mine`, which is not in this repository. Read" in text
    assert "1 updates in less than a minute" in text
    data = ModelCard(text).data.to_dict()
    assert data.keys() == {"language", "library_name", "pipeline_tag", "tags"}
    assert data["language"] == ["zh"]


def test_no_file_tells_where_the_model_was_trained(run, exported):
    files = [path for path in exported.rglob("*") if path.is_file()]

    assert {path.name for path in files} == {
        *("README.md", "attention.png", "config.json", "model.safetensors", "joint.model")
    }
    corpora = str(os.path.dirname(run.config.data.test.path))
    assert corpora in (run.path / "config.yaml").read_text()
    for secret in (run.path, run.path.parent.name, corpora, exported.parent, "tmp"):
        assert not [path for path in files if str(secret).encode() in path.read_bytes()]


@pytest.mark.parametrize(
    ("times", "minutes"), [([], 0), ([[5.0]], 0), ([[0.0, 60.0, 600.0], [3000.0, 3060.0]], 11)]
)
def test_pauses_of_a_training_do_not_count(tmp_path, copy_run, times, minutes):
    run = Run(tmp_path, Run.open(copy_run).config)
    for number, each in enumerate(times):
        write_times(tmp_path / "tensorboard", number, *each)

    assert training_time(run).total_seconds() == minutes * 60


def test_a_damaged_record_ends_the_measured_time(tmp_path, copy_run):
    run = Run(tmp_path, Run.open(copy_run).config)
    write_times(tmp_path / "tensorboard", "1", 0.0, 60.0)
    with (tmp_path / "tensorboard" / "events.out.tfevents.1").open("ab") as file:
        file.write(b"\x05\0\0\0\0\0\0\0crc_\xff\xff\xff\xff\xffcrc_")

    assert training_time(run).total_seconds() == 60


CORPORA = {
    "train": {"path": "/home/me/secret/train"},
    "train.tsv.gz": {"path": "/home/me/secret/train.tsv.gz"},
    "a.de and b.en": {"source": "/home/me/a.de", "target": "../b.en"},
    "embedded corpus of nmt (test)": {"path": "embedded", "split": "test"},
    "wmt/wmt14/de-en/train": {"hub": "wmt/wmt14", "subset": "de-en"},
    "local": {"hub": "/home/me/local"},
}


@pytest.mark.parametrize(("name", "corpus"), CORPORA.items(), ids=CORPORA)
def test_a_corpus_is_named_without_its_folder(name, corpus):
    assert described(CorpusConfig(**corpus)) == name


def test_a_foreign_tokenizer_loses_the_paths_in_it(tmp_path):
    (tmp_path / "secret.txt").write_text("".join(f"a b{i} c{i} d\n" for i in range(300)))
    sentencepiece.SentencePieceTrainer.train(
        input=str(tmp_path / "secret.txt"),
        model_prefix=str(tmp_path / "theirs"),
        vocab_size=40,
        minloglevel=9,
    )
    model = Tokenizer.load(tmp_path / "theirs.model")

    found = cleaned.without_paths(Tokenizers.same(model)).source

    assert str(tmp_path).encode() in model.model
    assert str(tmp_path).encode() not in found.model
    texts = ["a b1 c22", "ä", "d  d "]
    assert found.encode_batch(texts) == model.encode_batch(texts)
    assert found.pieces(range(found.size)) == model.pieces(range(model.size))


def test_a_tokenizer_of_nmt_stays_as_it_is(embedded_tokenizers):
    found = cleaned.without_paths(embedded_tokenizers)

    assert found.source.model == embedded_tokenizers.source.model


def test_a_failed_export_leaves_what_was_there(tmp_path, copy_run, copy_bundle):
    run, old = Run.open(copy_run), shutil.copytree(copy_bundle, tmp_path / "old")
    before = (old / "config.json").stat()

    for folder, force in ((tmp_path / "new", False), (old, True)):
        with pytest.raises(DataError, match=r"has no data.test to score; add it to its con"):
            export(run, folder, GIVEN, force=force)

    assert os.listdir(tmp_path) == ["old"]
    assert (old / "config.json").stat() == before


def test_a_bundle_is_replaced_when_that_is_wanted(tmp_path, copy_run, copy_bundle):
    run, old = Run.open(copy_run), shutil.copytree(copy_bundle, tmp_path / "old")
    (old / "shortlist.npz").write_text("of another vocabulary")

    with pytest.raises(DataError, match=r"old: exists; name another folder, or replace the bundle"):
        export(run, old, Given("x", sentence="a b"))
    export(run, old, Given("x", sentence="a b"), dtype="int8", force=True)

    assert os.listdir(tmp_path) == ["old"]
    assert not (old / "shortlist.npz").exists()
    assert "stored as int8" in (old / "README.md").read_text()


@pytest.mark.parametrize("content", ["mine.txt", "config.yaml"])
def test_what_is_no_bundle_is_never_replaced(tmp_path, copy_run, content):
    (tmp_path / content).write_text("precious")

    with pytest.raises(DataError, match=r"exists, and is no bundle; name another folder$"):
        export(Run.open(copy_run), tmp_path, Given("x"), force=True)

    assert (tmp_path / content).read_text() == "precious"


def test_a_folder_that_cannot_be_made_is_named(tmp_path, copy_run):
    (tmp_path / "file").touch()

    with pytest.raises(RunError, match=r"file/x: the bundle cannot be written \(.*xist|Not a dir"):
        export(Run.open(copy_run), tmp_path / "file" / "x", Given("x"))


def test_without_the_corpus_the_card_has_no_picture(tmp_path, copy_run):
    gone = CorpusConfig(path=str(tmp_path / "gone"))
    run = Run.open(changed_run(copy_run, tmp_path / "run", validation=gone))

    with pytest.warns(UserWarning, match=r"no picture of attention: give a sentence \(.*gone.de"):
        export(run, tmp_path / "bundle", Given("x"))

    text = (tmp_path / "bundle" / "README.md").read_text()
    assert not re.search("attention.png|## Scores|model-index|metrics", text)
    assert "translator.translate('...')" in text
