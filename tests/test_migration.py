"""Run folders of earlier versions open, translate as they did, and training goes on in them."""

import json
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest
import yaml
from tiny import letters, write_side_by_side

from nmt import Translator, config, configfile
from nmt.config.migration import migrated
from nmt.errors import ConfigError, RunError
from nmt.run import Run
from nmt.training.session import train

pytestmark = pytest.mark.usefixtures("compiled_once")

# A model that copies letters, trained by commit dcef128, and what that commit translated with it.
ARCHIVE = Path(__file__).parent / "data" / "run-dcef128.tar.gz"

# The same configuration as it is written now.
NEW = """
run: run
data: {train: train, validation: val, batch: {sentences: 64, buckets: 1}}
tokenizer: {vocabulary_size: 21}
model:
  embedding_size: 12
  encoder: {hidden_size: 12}
  decoder: {kind: bahdanau, hidden_size: 24}
  attention: {coverage: linguistic, score_options: {hidden_size: 16}}
  dropout: 0.0
training:
  optimizer: {kind: adamw, weight_decay: 0.001}
  learning_rate: 1e-2
  schedule: {kind: plateau, warmup_steps: 20, patience: 3}
  max_epochs: 12
  validate_every: 124
  attention_images: 0
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The working folder, with the old run and its corpus."""
    with tarfile.open(ARCHIVE) as archive:
        archive.extractall(tmp_path, filter="data")
    parts = {"train": letters(2000, longest=6, seed=1)}
    parts["val"] = letters(10, least=6, longest=6, seed=2)
    for name, part in parts.items():
        write_side_by_side(tmp_path, name, part, part)
    (tmp_path / "new.yaml").write_text(NEW)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_an_old_run_translates_as_it_did(folder):
    expected = json.loads((folder / "translations.json").read_text())

    found = Translator.load("run").translate([each["source"] for each in expected])

    assert [each.text for each in found] == [each["text"] for each in expected]
    np.testing.assert_allclose(
        [each.log_prob for each in found], [each["log_prob"] for each in expected], atol=1e-4
    )


def test_training_goes_on_in_an_old_run(folder):
    more = ["training.max_epochs=null", "training.max_steps=386"]
    assert Run.open("run").progress("last").step == 384

    run = train(configfile.load("new.yaml", more))

    assert run.progress("last").step == 386
    formats = {
        path.parent.name: json.loads(path.read_text())["format"]
        for path in Path("run/checkpoints/last").glob("*/manifest.json")
    }
    assert formats == {"384": 2, "386": 3}
    assert Run.open("run").config.training.optimizer == config.AdamWConfig(weight_decay=0.001)


@pytest.mark.slow
def test_a_damaged_checkpoint_falls_back_on_one_of_an_older_format(folder):
    settings = configfile.load("new.yaml", ["training.max_epochs=null", "training.max_steps=386"])
    train(settings)
    again = folder / "again"
    shutil.copytree(folder / "run/checkpoints/last/386", again)
    with open("run/checkpoints/last/386/rest.safetensors", "ab") as file:
        file.write(b"\n")

    named = r"386: the checkpoint is damaged \(rest.safetensors: .*mismatch\); using 384 before it"
    with pytest.warns(UserWarning, match=named):
        train(settings)

    for name in ("params.safetensors", "rest.safetensors"):
        written = folder / "run/checkpoints/last/386" / name
        assert written.read_bytes() == (again / name).read_bytes()


@pytest.fixture(scope="module")
def old():
    """The tree of the old configuration, with all that had not been chosen."""
    with tarfile.open(ARCHIVE) as archive:
        text = archive.extractfile("run/config.yaml").read().decode()
    return lambda: yaml.safe_load(text)


def opened(tree):
    return configfile.validate(migrated(tree))


def test_a_new_configuration_stays_as_it_is(tmp_path):
    path = tmp_path / "new.yaml"
    path.write_text(NEW)
    tree = yaml.safe_load(configfile.dump(configfile.load(path)))

    assert migrated(tree) == tree


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"mechanism": "global", "coverage": "none"}, config.GlobalConfig()),
        (
            {"coverage": "linguistic", "max_fertility": 3.0},
            config.GlobalConfig(coverage={"kind": "linguistic", "max_fertility": 3.0}),
        ),
        (
            {"coverage": "neural", "coverage_size": 3},
            config.GlobalConfig(coverage={"kind": "neural", "size": 3}),
        ),
        (
            {"mechanism": "local_p", "window": 3, "normaliser": "sparsemax"},
            config.LocalPConfig(window=3, normalizer="sparsemax"),
        ),
        ({"mechanism": "local_m", "score": "general"}, config.LocalMConfig(score="general")),
        ({"mechanism": "hard"}, config.HardConfig()),
        (
            {"mechanism": "hard", "hard": {"estimator": "gumbel", "temperature": 2.0}},
            config.HardConfig(estimator={"kind": "gumbel", "temperature": 2.0}),
        ),
        (
            {"mechanism": "monotonic", "monotonic": {"offset": -4.0, "noise": 0.5}},
            config.MonotonicConfig(offset=-4.0, noise=0.5),
        ),
        ({"mechanism": "multi_head", "heads": 2}, config.MultiHeadConfig(heads=2)),
        ({"mechanism": "uniform"}, config.UniformConfig()),
        ({"mechanism": "none"}, config.NoAttentionConfig()),
    ],
)
def test_old_attention_keeps_what_its_mechanism_read(old, changes, expected):
    tree = old()
    tree["model"]["attention"] |= {"coverage": "none", "score_options": {}, **changes}

    assert opened(tree).model.attention == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"kind": "constant", "warmup_steps": 7}, config.ConstantScheduleConfig(warmup_steps=7)),
        ({"kind": "cosine", "warmup_steps": 7}, config.CosineScheduleConfig(warmup_steps=7)),
        (
            {"kind": "inverse_sqrt", "warmup_steps": 0},
            config.InverseSqrtScheduleConfig(warmup_steps=1),
        ),
        (
            {"kind": "luong", "factor": 0.1, "start_step": 5},
            config.LuongScheduleConfig(warmup_steps=20, factor=0.1, start_step=5),
        ),
    ],
)
def test_an_old_schedule_keeps_what_its_kind_read(old, changes, expected):
    tree = old()
    tree["training"]["schedule"] |= changes

    assert opened(tree).training.schedule == expected


@pytest.mark.parametrize(
    ("optimizer", "decay", "expected"),
    [
        ("adam", 0.1, config.AdamConfig()),
        ("adamw", 0.1, config.AdamWConfig(weight_decay=0.1)),
        ("adamw", 0.0, config.AdamConfig()),
        ("adadelta", 0.0, config.AdadeltaConfig()),
        ("sgd", 0.0, config.SgdConfig()),
    ],
)
def test_an_old_optimizer_keeps_the_decay_that_it_read(old, optimizer, decay, expected):
    tree = old()
    tree["training"] |= {"optimizer": optimizer, "weight_decay": decay}

    assert opened(tree).training.optimizer == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"model": "m", "kind": "bpe"}, config.JointModelConfig(model="m")),
        (
            {"source_model": "s", "target_model": "t"},
            config.SeparateModelsConfig(source_model="s", target_model="t"),
        ),
        (
            {"kind": "bpe", "sampling": {"alpha": 0.2, "candidates": 5}},
            config.TrainedTokenizerConfig(
                kind="bpe",
                vocabulary_size=21,
                sampling={"alpha": 0.2},
                normalization="nmt_nfkc",
                byte_fallback=False,
            ),
        ),
    ],
)
def test_an_old_tokenizer_keeps_what_was_read(old, changes, expected):
    tree = old()
    tree["tokenizer"] |= changes

    assert opened(tree).tokenizer == expected


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ({"vocabulary_size": 30}, {"normalization": "nmt_nfkc", "byte_fallback": False}),
        ({"vocabulary_size": 30, "byte_fallback": True}, {"normalization": "nmt_nfkc"}),
        ({"vocabulary_size": 30, "normalization": "nfc"}, {"byte_fallback": False}),
        ({"model": "x"}, {}),
    ],
)
def test_a_run_that_says_nothing_of_characters_was_made_as_earlier_versions_did(section, expected):
    tree = migrated({"data": {"train": "t", "validation": "v"}, "tokenizer": section})

    assert tree["tokenizer"] == {**section, **expected, **section}
    assert configfile.validate(tree)


def test_the_characters_of_an_old_run_cannot_be_kept_later(folder):
    Run.start(configfile.load("new.yaml"))  # what is not said is as it was

    for setting in ("normalization=identity", "byte_fallback=true"):
        with pytest.raises(RunError, match=rf"tokenizer\.{setting.partition('=')[0]}: .* -> "):
            Run.start(configfile.load("new.yaml", [f"tokenizer.{setting}"]))


def test_old_corpora_and_batches_keep_what_was_read(old):
    tree = old()
    unread = {"subset": "x", "split": "test", "columns": ["a", "b"]}
    tree["data"]["train"] |= unread
    tree["data"]["validation"] |= {**unread, "path": "embedded"}
    tree["data"]["test"] = {**tree["data"]["train"], **unread, "path": None, "hub": "h"}
    tree["data"]["batch"] = {"tokens": 100, "sentences": None, "buckets": 3}

    data = opened(tree).data

    assert data.train == config.CorpusConfig(path="train")
    assert data.validation == config.CorpusConfig(path="embedded", split="test")
    assert data.test == config.CorpusConfig(hub="h", **unread)
    assert data.batch == config.TokenBatchConfig(tokens=100, buckets=3)


@pytest.mark.parametrize(
    ("mechanism", "cost"), [("global", "ce"), ("monotonic", "ce"), ("local_p", "mse")]
)
def test_old_links_guide_as_they_did_where_that_has_a_gradient(old, mechanism, cost):
    tree = old()
    tree["data"]["train"]["alignments"] = "links"
    tree["model"]["attention"]["mechanism"] = mechanism

    assert opened(tree).training.guided_alignment == config.GuidedAlignmentConfig(cost=cost)


def test_what_an_old_search_did_not_read_is_left_out(old):
    tree = old()
    tree["model"]["attention"]["mechanism"] = "none"
    tree["decoding"] |= {"draw": 3, "coverage_penalty": 0.2}

    decoding = opened(tree).decoding

    assert (decoding.attention_seed, decoding.coverage_penalty) == (None, 0.0)


@pytest.mark.parametrize("damage", ["model", "tokenizer", "training"])
def test_an_old_configuration_that_was_damaged_by_hand_is_refused_by_its_keys(old, damage):
    tree = old()
    tree[damage] = 3

    with pytest.raises(ConfigError, match=f"config: {damage}"):
        opened(tree)


@pytest.mark.filterwarnings("ignore:.*is now called")
def test_a_file_of_the_users_own_is_not_migrated(old, tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(old()))

    with pytest.raises(
        ConfigError, match=r"mine\.yaml: training\.weight_decay: unknown key; write"
    ):
        configfile.load(path)
