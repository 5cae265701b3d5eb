"""A warm start takes what fits by name, rows of vocabularies by piece, and once only."""

import shutil
from pathlib import Path

import jax
import numpy as np
import pytest
from flax import nnx
from tiny import tree

from nmt import configfile
from nmt.checkpoints import TrainingProgress
from nmt.data import tokenizer_training
from nmt.errors import RunError
from nmt.model import parameters
from nmt.model.build import build_model
from nmt.run import Run
from nmt.sharing.export import write
from nmt.training import warm_start
from nmt.training.session import train

TEXTS = {"abc": ["abc ab", "cab a", "b c"] * 3, "cde": ["cde cd", "edc e", "d c"] * 3}
JOINT = {"kind": "bpe", "vocabulary_size": 12, "byte_fallback": False}
SEPARATE = {**JOINT, "joint": False}
# Which piece each row of a parameter stands for.
SIDES = {"source_embedding.embedding": "source", "output_bias": "target"}
SIDES |= dict.fromkeys(["target_embedding.embedding", "output.embedding"], "target")
SIDES |= {"lexical_model.output.embedding": "target"}
# An aligner reads both sides, and explains the target by the source forward.
SIDES |= {f"{side}.embedding.embedding": side for side in ("source", "target")}
for _direction, _side in {"forward": "target", "backward": "source"}.items():
    _names = ("output.embedding", "output_bias", "empty_bias")
    SIDES |= {f"{_direction}.{name}": _side for name in _names}
ALIGNER = {"embedding_size": 6, "hidden_size": 5}


def run_of(path, *, text="abc", pieces=JOINT, start_from=None, aligner=None, data=(), **model):
    """A run whose tokenizers are trained on a text and its reverse, with random parameters."""
    settings = tree(path, Path("unused"), model=model, start_from=start_from and str(start_from))
    settings["data"] |= dict(data)
    if aligner is not None:
        settings |= {"aligner": aligner, "model": {}}
        settings["training"]["metric"] = "perplexity"
    run = Run.start(configfile.validate({**settings, "tokenizer": pieces}))
    backward = [line[::-1].replace("c", "cc") for line in TEXTS[text]]
    tokenizers = tokenizer_training.train(TEXTS[text], backward, run.config.tokenizer)
    return run, tokenizers, build_model(run.config, tokenizers)


def saved(path, *, seed=0, **settings):
    """Makes a run folder with a best checkpoint of random parameters; returns them by name."""
    run, tokenizers, model = run_of(path, **settings)
    random = np.random.default_rng(seed)
    params = jax.tree.map(
        lambda leaf: np.asarray(random.normal(size=leaf.shape), np.float32),
        nnx.state(model, nnx.Param),
    )
    run.create(tokenizers)
    progress = TrainingProgress(step=3, batches=3, tokenizer=tokenizers.fingerprint)
    run.save("best", {"params": params}, progress)
    return parameters.named(params), tokenizers


def test_a_bundle_gives_what_its_run_gives(tmp_path):
    old, _ = saved(tmp_path / "parent")
    parent = Run.open(tmp_path / "parent")
    write(parent, tmp_path / "bundle", parent.checkpoints.find("best"), "float32")
    run, tokenizers, model = run_of(tmp_path / "run", start_from=tmp_path / "bundle")

    table = warm_start.start(model, warm_start.parent_of(run), run, tokenizers)

    assert table[0].startswith(
        f"{run.path}: starts from the best checkpoint of {tmp_path / 'bundle'}"
    )
    found = by_name(model)
    assert found.keys() == old.keys()
    for name, array in old.items():
        np.testing.assert_array_equal(found[name], array)


def by_name(model):
    return jax.device_get(parameters.named(nnx.state(model, nnx.Param)))


def pieces(tokenizers, side):
    chosen = getattr(tokenizers, side)
    return chosen.pieces(list(range(chosen.size)))


CASES = {
    # what the parent is, what the child is, what is not taken from parameters without pieces
    "the same": ({}, {}, {}),
    "other pieces": ({}, {"text": "cde"}, {}),
    "two vocabularies": ({"pieces": SEPARATE}, {"text": "cde", "pieces": SEPARATE}, {}),
    "one, then two": ({}, {"pieces": SEPARATE}, {}),
    "two, then one": ({"pieces": SEPARATE}, {"text": "cde"}, {}),
    "a larger one": ({}, {"text": "cde", "pieces": {**JOINT, "vocabulary_size": 14}}, {}),
    "with a lexical model": ({"lexical_model": True}, {"lexical_model": True, "text": "cde"}, {}),
    "tied, then apart": (
        {"tied_embeddings": "all"},
        {"text": "cde", "tied_embeddings": "none"},
        {},
    ),
    "apart, then tied": ({}, {"text": "cde", "tied_embeddings": "all"}, {}),
    "a deeper encoder": (
        {},
        {"encoder": {"hidden_size": 5, "layers": 2}},
        {
            f"encoder.layers.1.{way}.{name}": "it has none"
            for way in ("forward", "backward")
            for name in ("input.bias", "input.kernel", "proposal_bias", "recurrent")
        },
    ),
    "without a lexical model": (
        {},
        {"lexical_model": True},
        dict.fromkeys(["lexical_model.hidden.kernel", "lexical_model.output.embedding"], "it has"),
    ),
    "another embedding": ({}, {"embedding_size": 8}, None),
    "an aligner": ({"aligner": ALIGNER}, {"text": "cde", "aligner": ALIGNER}, {}),
    "an aligner of two vocabularies": (
        {"pieces": SEPARATE, "aligner": ALIGNER},
        {"pieces": {**JOINT, "vocabulary_size": 14}, "text": "cde", "aligner": ALIGNER},
        {},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_parameters_are_taken_by_name_and_rows_by_piece(tmp_path, case):
    of_parent, of_child, not_taken = CASES[case]
    old, theirs = saved(tmp_path / "parent", **of_parent)
    run, tokenizers, model = run_of(tmp_path / "run", start_from=tmp_path / "parent", **of_child)
    fresh = by_name(model)

    lines = warm_start.start(model, warm_start.parent_of(run), run, tokenizers)

    outcomes = dict(line.split(maxsplit=1) for line in lines[1:])
    assert set(outcomes) == set(fresh)
    for name, found in by_name(model).items():
        expected, outcome = fresh[name].copy(), "taken"
        # A table that the parent shares stands for its source embedding and its output matrix.
        tied = name in ("source_embedding.embedding", "output.embedding") and name not in old
        source = old.get("target_embedding.embedding" if tied else name)
        if source is None or source.shape[1:] != expected.shape[1:]:
            outcome = "not taken"
        elif name in SIDES:
            there, rows = pieces(theirs, SIDES[name]), pieces(tokenizers, SIDES[name])
            shared = [piece for piece in rows if piece in there]
            for piece in shared:
                expected[rows.index(piece)] = source[there.index(piece)]
            outcome = f"{len(shared)} of {len(rows)} pieces"
        elif source.shape == expected.shape:
            expected = source
        else:
            outcome = "not taken"
        np.testing.assert_array_equal(found, expected, err_msg=name)
        assert outcomes[name].startswith(outcome), name
    refused = {name: why for name, why in outcomes.items() if why.startswith("not taken")}
    if not_taken is None:
        assert refused["target_embedding.embedding"] == "not taken: its shape is 12 x 6, not 12 x 8"
    else:
        assert refused.keys() == not_taken.keys()
        assert all(f"not taken: {why}" in refused[name] for name, why in not_taken.items())
    taken = len(fresh) - len(refused)
    assert lines[0].endswith(f"{tmp_path / 'parent'}: {taken} of {len(fresh)} parameters taken")


def test_the_texts_share_some_pieces_and_not_others(tmp_path):
    _, one, _ = run_of(tmp_path / "one")
    _, other, _ = run_of(tmp_path / "other", text="cde")

    shared = set(pieces(one, "source")) & set(pieces(other, "source"))
    assert {"<pad>", "<unk>", "<s>", "</s>", "▁", "c"} <= shared
    assert len(shared) < 12


def mark(path):
    """Lets the run import a class for its score."""
    text = (path / "config.yaml").read_text()
    (path / "config.yaml").write_text(text.replace("score: additive", "score: plugin:Mine"))


@pytest.mark.parametrize(
    ("parent", "child", "message"),
    [
        ("nowhere", {}, r"nowhere: no such run folder; `nmt train CONFIG` makes one$"),
        ("other", {}, r"other: not a run folder \(it has no config\.yaml\)$"),
        ("empty", {}, r"empty: has no checkpoint yet; `nmt train` saves the first$"),
        (
            "imports",
            {},
            r"imports: model\.attention\.score imports plugin:Mine, whose code may do anything; "
            r"training\.start_from reads this run only if model\.attention\.score here is the "
            r"same$",
        ),
        (
            "parent",
            {"embedding_size": 9, "encoder": {"hidden_size": 9}, "decoder": {"hidden_size": 11}},
            r"^training\.start_from: no parameter of .*parent has the name and the shape of one of "
            r"this model; give this model its sizes, those of `model` in its config\.yaml$",
        ),
    ],
    ids=["no folder", "no run", "no checkpoint", "an import", "nothing fits"],
)
def test_a_run_that_cannot_be_started_from_is_named(tmp_path, parent, child, message):
    (tmp_path / "other").mkdir()
    saved(tmp_path / "parent")
    run, tokenizers, _ = run_of(tmp_path / "empty")
    run.create(tokenizers)
    shutil.copytree(tmp_path / "parent", tmp_path / "imports")
    mark(tmp_path / "imports")
    run, tokenizers, model = run_of(tmp_path / "run", start_from=tmp_path / parent, **child)

    with pytest.raises(RunError, match=message):
        warm_start.start(model, warm_start.parent_of(run), run, tokenizers)


@pytest.mark.parametrize(
    ("parent", "child"),
    [
        (
            {"attention": {"score": "scaled_general"}},
            {
                "attention": {"score": "scaled_general"},
                "embedding_size": 9,
                "encoder": {"hidden_size": 9},
                "decoder": {"hidden_size": 11},
            },
        ),
        ({"aligner": ALIGNER}, {"aligner": {"embedding_size": 9, "hidden_size": 7}}),
    ],
    ids=["a scale", "biases of pieces"],
)
def test_what_has_no_width_does_not_count_as_fitting(tmp_path, parent, child):
    saved(tmp_path / "parent", **parent)
    run, tokenizers, model = run_of(tmp_path / "run", start_from=tmp_path / "parent", **child)

    with pytest.raises(RunError, match=r"no parameter of .*parent has the name and the shape"):
        warm_start.start(model, warm_start.parent_of(run), run, tokenizers)


def test_the_source_takes_no_target_embedding_of_a_parent_that_reads_vectors(tmp_path):
    vectors = {"source": "speech", "input": {"kind": "vectors", "size": 4}}
    saved(tmp_path / "parent", data=vectors)
    run, tokenizers, model = run_of(tmp_path / "run", start_from=tmp_path / "parent")

    table = warm_start.start(model, warm_start.parent_of(run), run, tokenizers)

    outcomes = dict(line.split(maxsplit=1) for line in table[1:])
    assert outcomes["source_embedding.embedding"] == "not taken: it has none"
    assert outcomes["target_embedding.embedding"].endswith("of 12 pieces")


@pytest.mark.usefixtures("compiled_once")
def test_training_starts_where_its_parent_ended_and_goes_on_without_it(tmp_path, copy_run, capsys):
    parent = Run.open(copy_run)
    validated = next(
        record["validation/perplexity"]
        for record in parent.records()
        if "validation/perplexity" in record and record["step"] == parent.progress("best").step
    )
    shutil.copytree(copy_run, tmp_path / "parent")
    settings = parent.config.model_dump(mode="json")
    settings["tokenizer"] = {"model": str(tmp_path / "parent" / "tokenizer" / "joint.model")}
    settings["data"]["train"] = settings["data"]["validation"]  # 50 pairs: one batch

    def trained(name, steps):
        changed = {
            "learning_rate": 1e-12, "max_steps": steps, "validate_every": 1, "attention_images": 0,
            "start_from": str(tmp_path / "parent"),
        }  # fmt: skip
        return train(
            configfile.validate(
                {
                    **settings,
                    "run": str(tmp_path / name),
                    "training": {**settings["training"], **changed},
                }
            )
        )

    trained("run", 1)
    assert "starts from the best checkpoint of" in capsys.readouterr().err
    shutil.rmtree(tmp_path / "parent")
    run = trained("run", 2)

    assert "starts from" not in capsys.readouterr().err
    assert Run.open(run.path).config.training.start_from == str(tmp_path / "parent")
    found = [r["validation/perplexity"] for r in run.records() if "validation/perplexity" in r]
    assert found == pytest.approx([validated, validated], rel=1e-4)


def test_a_missing_parent_is_named_before_a_corpus_is_read_and_leaves_no_run_behind(tmp_path):
    corpus = tmp_path / "nowhere"
    settings = configfile.validate(tree(tmp_path / "run", corpus, start_from="nowhere"))

    with pytest.raises(RunError, match=r"^nowhere: no such run folder"):
        train(settings)
    assert not (tmp_path / "run" / "config.yaml").exists()


def test_networks_that_align_and_that_translate_share_no_parameters(aligning_run, copy_run):
    def started(run, parent):
        config = Run.open(run).config
        training = config.training.model_copy(update={"start_from": str(parent)})
        return warm_start.parent_of(
            Run(run / "new", config.model_copy(update={"training": training}))
        )

    for run, parent, does in (
        (copy_run, aligning_run, ("aligns", "translates")),
        (aligning_run, copy_run, ("translates", "aligns")),
    ):
        with pytest.raises(RunError) as raised:
            started(run, parent)
        assert str(raised.value) == (
            f"training.start_from: {parent} {does[0]}, and the network of this configuration "
            f"{does[1]}; they share no parameters: leave it out"
        )
