"""A bundle has all that its run translates with, wherever it lies, and nothing else of it."""

import json
import pickle
import re
import shutil
import struct
from itertools import chain

import jax
import numpy as np
import pytest
import tiny
from flax import nnx
from safetensors.numpy import load_file, save_file

from nmt import configfile
from nmt.bundle import Bundle
from nmt.checkpoints import TrainingProgress
from nmt.data.tokenizers import Tokenizers
from nmt.errors import RunError, UserError
from nmt.inference.shortlist import Lexicon
from nmt.inference.splitting import TrainedOn
from nmt.inference.translator import Translator
from nmt.model.build import build_model, outline
from nmt.run import Run
from nmt.sharing.export import write

LINES = ["a b c", "h g f e d", "", "c c", "x"]


def fresh_run(folder, tokenizers, **changes):
    """A run folder of a model that was initialized, and not trained."""
    tree = tiny.tree(folder, folder.parent, **changes)
    tree["data"]["train"] = {"path": str(folder.parent / "train"), "source_tag": "<2en>"}
    tree["data"]["validation"] = {**tree["data"]["train"], "path": str(folder.parent / "val")}
    tree["decoding"] |= {"beam": 3, "length_penalty": "gnmt"}
    run = Run.start(configfile.validate(tree))
    run.create(tokenizers)
    _, params = nnx.split(build_model(run.config, tokenizers))
    run.save("best", {"params": params}, TrainingProgress(tokenizer=tokenizers.fingerprint))
    return run


def exported(run, folder, dtype="float32"):
    return write(run, folder, run.checkpoints.find("best"), dtype)


MODELS = {
    "gru, luong": {},
    "lstm, bahdanau": {"cell": "lstm", "decoder": {"kind": "bahdanau"}},
    "conditional": {"decoder": {"kind": "conditional"}},
    "deep": {
        "cell": {"kind": "gru", "layer_norm": True},
        "encoder": {"kind": "alternating", "hidden_size": 5, "layers": 2, "transitions": 2},
        "decoder": {"layers": 2, "transitions": 3, "residual": True},
    },
    "lexical, tied": {"lexical_model": True, "tied_embeddings": "target"},
    "one table": {"tied_embeddings": "all"},
    "heads": {"attention": {"mechanism": "multi_head", "heads": 2}},
    "hard": {"attention": "hard"},
    "monotonic": {"attention": "monotonic"},
    "coverage": {"attention": {"coverage": "neural"}},
    "no attention": {"attention": "none"},
}


QUICK = "gru, luong", "deep", "lexical, tied", "no attention"


@pytest.mark.parametrize(
    "model",
    [
        pytest.param(model, id=name, marks=() if name in QUICK else pytest.mark.slow)
        for name, model in MODELS.items()
    ],
)
def test_a_bundle_has_parameters_and_settings_of_its_run(tmp_path, embedded_tokenizers, model):
    run = fresh_run(tmp_path / "run", embedded_tokenizers, model=model)
    exported(run, tmp_path / "bundle")

    bundle = Bundle.open(tmp_path / "bundle")

    _, template = outline(bundle.config, bundle.tokenizers())
    assert bundle.config.model == run.config.model
    assert bundle.config.decoding == run.config.decoding
    assert TrainedOn.of(bundle.config) == TrainedOn("de", 100, ("<2en>",))
    stored, theirs = bundle.params("best", template), run.params("best", template)
    assert jax.tree.structure(stored) == jax.tree.structure(theirs)
    for mine, other in zip(jax.tree.leaves(stored), jax.tree.leaves(theirs), strict=True):
        assert mine.dtype == other.dtype
        np.testing.assert_array_equal(mine, other)


@pytest.mark.parametrize("kind", ["copy_run", pytest.param("reverse_run", marks=pytest.mark.slow)])
def test_a_bundle_translates_as_its_run_when_that_is_gone(tmp_path, request, kind):
    run = shutil.copytree(request.getfixturevalue(kind), tmp_path / "run")
    expected = list(Translator.load(run).stream(LINES, n_best=3))
    exported(Run.open(run), tmp_path / "bundle")
    shutil.move(tmp_path / "bundle", tmp_path / "moved" / "elsewhere")
    shutil.rmtree(run)

    found = list(Translator.load(tmp_path / "moved" / "elsewhere").stream(LINES, n_best=3))

    for mine, theirs in zip(chain(*found), chain(*expected), strict=True):
        assert mine.text == theirs.text
        assert (mine.score, mine.log_prob) == (theirs.score, theirs.log_prob)
        np.testing.assert_array_equal(mine.attention, theirs.attention)


def test_a_bundle_and_a_run_are_an_ensemble(copy_run, copy_bundle):
    alone, both = Translator.load(copy_run), Translator.load([copy_bundle, copy_run])

    for mine, theirs in zip(both.translate(LINES), alone.translate(LINES), strict=True):
        assert mine.text == theirs.text
        assert mine.score == pytest.approx(theirs.score, abs=1e-5)


def test_the_table_for_a_shortlist_goes_with_the_bundle(tmp_path, copy_run):
    run = Run.open(shutil.copytree(copy_run, tmp_path / "run"))
    size = run.tokenizers().source.size
    pairs = [([4, 5], [5, 4]), ([6], [6])]
    table = Lexicon.learn(pairs, source_size=size, target_size=size)
    table.save(run.path)
    exported(run, tmp_path / "bundle")

    found = Lexicon.of(Bundle.open(tmp_path / "bundle"))

    np.testing.assert_array_equal(found.translations, table.translations)
    np.testing.assert_array_equal(found.common, table.common)


def test_nothing_in_a_bundle_tells_where_it_was_trained(tmp_path, copy_run):
    run = Run.open(copy_run)
    exported(run, tmp_path / "bundle")
    files = [path for path in (tmp_path / "bundle").rglob("*") if path.is_file()]

    assert str(copy_run) in (copy_run / "config.yaml").read_text()
    assert {path.name for path in files} == {"config.json", "joint.model", "model.safetensors"}
    for secret in (copy_run, copy_run.parent.name, tmp_path, "train", "val"):
        assert not [path for path in files if str(secret).encode() in path.read_bytes()]


def changed(**values):
    """Changes keys of config.json, by dotted names with two underscores."""

    def change(bundle):
        path = bundle / "config.json"
        tree = json.loads(path.read_text())
        for key, value in values.items():
            *parents, last = key.split("__")
            place = tree
            for parent in parents:
                place = place[parent]
            place[last] = value
        path.write_text(json.dumps(tree))

    return change


def without(name):
    return lambda bundle: (bundle / name).unlink()


def written(name, content):
    return lambda bundle: (bundle / name).write_bytes(content)


def arrays(**changes):
    """Changes arrays of model.safetensors, whose tokenizer stays the same."""

    def change(bundle):
        path = bundle / "model.safetensors"
        found, tokenizer = load_file(path), Tokenizers.load(bundle / "tokenizer").fingerprint
        save_file({**found, **changes}, path, {"tokenizer": tokenizer})

    return change


def cut(bundle):
    path = bundle / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1])


def of_another_tokenizer(bundle):
    path = bundle / "model.safetensors"
    save_file(load_file(path), path, {"tokenizer": "another"})


class Harmful:
    """A pickle that would end the process of who reads it."""

    def __reduce__(self):
        return exit, ()


PICKLE = pickle.dumps(Harmful())
NOT_OURS = r"config.json: not as `nmt export` writes it; get the bundle anew$"
HUGE = struct.pack("<Q", 1 << 62) + b"{}"
CLAIMS = json.dumps({"x": {"dtype": "F32", "shape": [1 << 40], "data_offsets": [0, 1 << 42]}})
DAMAGES = {
    "an empty configuration": (written("config.json", b""), NOT_OURS),
    "no text": (written("config.json", PICKLE), NOT_OURS),
    "a list": (written("config.json", b"[]"), NOT_OURS),
    "nested": (written("config.json", b"[" * 100_000), NOT_OURS),
    "of another library": (written("config.json", b'{"model_type": "bert"}'), NOT_OURS),
    "no data": (changed(data=None), NOT_OURS),
    "a corpus": (changed(data__test="/etc/passwd"), NOT_OURS),
    "tags that are none": (changed(data__tags=5), NOT_OURS),
    "a tag that is none": (changed(data__tags=[1]), NOT_OURS),
    "one tag, and no list": (changed(data__tags="ab"), NOT_OURS),
    "another format": (
        changed(format=2),
        r"config.json: a bundle of format 2, but this version of nmt reads format 1; update nmt",
    ),
    "another type": (
        changed(dtype="int4"),
        r"config.json: parameters as 'int4', and this version of nmt reads float32, float16, int8;",
    ),
    "an unknown setting": (changed(decoding__beem=3), r"decoding.beem: unknown key; did you mean"),
    "no model": (changed(model=5), r"config.json: model"),
    "absurd sizes": (
        changed(model__encoder__hidden_size=2_000_000),
        r"model.safetensors: a model of [\d,]+ bytes by config.json, more than the memory of this",
    ),
    "another size": (
        changed(model__decoder__hidden_size=30),
        r"model.safetensors: of another model than config.json \(decoder.*: .* in the file, .* by "
        r"config.json\); get the bundle anew$",
    ),
    "another type of numbers": (
        changed(dtype="float16"),
        r"float32 in the file, \(.*\) float16 by config.json\)",
    ),
    "an array more": (
        arrays(more=np.zeros(3, np.float32)),
        r"\(more: \(3,\) float32 in the file, no such array by config.json\)",
    ),
    "no parameters": (
        without("model.safetensors"),
        r"model.safetensors: cannot be read \(.*\); get",
    ),
    "a pickle": (written("model.safetensors", PICKLE), r"model.safetensors: cannot be read \("),
    "cut": (cut, r"model.safetensors: cannot be read \("),
    "a huge header": (written("model.safetensors", HUGE), r"model.safetensors: cannot be read \("),
    "arrays that are not there": (
        written("model.safetensors", struct.pack("<Q", len(CLAIMS)) + CLAIMS.encode()),
        r"model.safetensors: cannot be read \(",
    ),
    "another tokenizer": (
        of_another_tokenizer,
        r"model.safetensors: was trained with another tokenizer, or writes in another direction",
    ),
    "another direction": (changed(data__reverse_target=True), r"writes in another direction; get"),
    "a tokenizer that is none": (written("tokenizer/joint.model", PICKLE), r"not a SentencePiece"),
    "a class to import": (
        changed(model__attention__score="plugin:Mine"),
        r"bundle: model.attention.score imports plugin:Mine, whose code may do anything; if you "
        r"trust it, give --trust, or trust=True in Python$",
    ),
    "no table": (
        changed(decoding__shortlist=5),
        r"needs the table shortlist.npz; have the bundle exported anew from a run that has it$",
    ),
}


@pytest.mark.parametrize(("change", "message"), DAMAGES.values(), ids=DAMAGES)
def test_what_is_wrong_with_a_bundle_is_one_line(bundle, change, message):
    change(bundle)

    with pytest.raises(UserError, match=message) as error:
        Translator.load(bundle)

    assert len(str(error.value).splitlines()) == 1
    assert str(error.value).startswith(str(bundle))


def test_a_table_with_pickles_is_not_read(bundle):
    changed(decoding__shortlist=5)(bundle)
    np.savez(bundle / "shortlist.npz", translations=np.array([Harmful()]), common=np.zeros(3))

    with pytest.raises(RunError, match=r"shortlist.npz: not a table of translations; have"):
        Translator.load(bundle)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer", "pytorch.bin"])
def test_a_link_out_of_a_bundle_is_refused(bundle, tmp_path, name):
    if (bundle / name).exists():
        (bundle / name).rename(tmp_path / "elsewhere")
    (bundle / name).symlink_to(tmp_path / "elsewhere")

    with pytest.raises(RunError, match=rf"{re.escape(name)}: a link that leads out of the bundle"):
        Translator.load(bundle)


@pytest.mark.parametrize("which", ["last", "averaged", 100])
def test_a_bundle_has_no_checkpoints(copy_bundle, which):
    message = f"one set of parameters, not checkpoint {which}; leave out --checkpoint"

    with pytest.raises(RunError, match=message):
        Translator.load(copy_bundle, checkpoint=which)


def test_a_bundle_has_no_training_state(copy_bundle):
    with pytest.raises(RunError, match=r"a bundle, which has no training state; give the run fold"):
        Run.open(copy_bundle)
