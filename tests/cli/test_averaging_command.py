"""`nmt average`: the mean of kept checkpoints, what is chosen, and what it is good for."""

import json
import shutil

import jax
import numpy as np
import pytest
from flax import nnx
from tiny import letters, tree, write_side_by_side

from nmt import configfile
from nmt.averaging import mean
from nmt.model.build import build_model
from nmt.run import Run
from nmt.training.session import train

pytestmark = pytest.mark.usefixtures("compiled_once")


def config(folder, name, **training):
    settings = {"learning_rate": 0.02, "max_epochs": None, "max_steps": 12, "validate_every": 2}
    options = {"sentences": 32, "vocabulary": 14, "dropout": 0.0}
    return configfile.validate(tree(folder / name, folder, **options, **settings, **training))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("averaged")
    lines = letters(220, longest=4, seed=1)
    for name, part in {"train": lines[:200], "val": lines[200:]}.items():
        write_side_by_side(path, name, part, part)
    return path


@pytest.fixture(scope="module")
def trained(folder):
    """A run of six validations, the last three of which are kept."""
    with pytest.warns(UserWarning, match="BLEU is still zero"):  # it learns little in so few steps
        return train(config(folder, "run", keep=3, metric="perplexity")).path


@pytest.fixture
def run(trained, tmp_path):
    return Run.open(shutil.copytree(trained, tmp_path / "run"))


def parameters(run, which):
    template = nnx.state(build_model(run.config, run.tokenizers()), nnx.Param)
    restored = run.restore(which, {"params": template})["params"]
    return [np.asarray(leaf) for leaf in jax.tree.leaves(restored)]


def by_hand(run, steps):
    """The mean in float64 of the parameters of steps."""
    each = [parameters(run, step) for step in steps]
    return [
        np.mean(np.stack(leaves).astype(np.float64), axis=0) for leaves in zip(*each, strict=True)
    ]


def scores(run, metric):
    found = {r["step"]: r[f"validation/{metric}"] for r in run.records() if "validation/bleu" in r}
    return found if metric == "perplexity" else {step: -bleu for step, bleu in found.items()}


def falling(run, values):
    """Rewrites the perplexities of the log, so that other steps are the best."""
    records = run.records()
    for record in records:
        if "validation/perplexity" in record:
            record["validation/perplexity"] = values[record["step"]]
    run.metrics_path.write_text("".join(f"{json.dumps(record)}\n" for record in records))


def test_the_last_validations_are_kept_with_their_parameters_alone(run):
    kept = sorted((run.path / "checkpoints" / "kept").iterdir(), key=lambda path: int(path.name))

    steps = [json.loads((path / "progress.json").read_text())["step"] for path in kept]
    assert steps == [8, 10, 12]
    for path in kept:
        assert not (path / "rest.safetensors").exists()
    for one, other in zip(parameters(run, 12), parameters(run, "last"), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("arguments", "steps"),
    [((), [8, 10, 12]), (("--last", 1), [12])],
)
def test_the_mean_of_the_last_is_saved_and_validated(nmt, run, arguments, steps):
    expected = by_hand(run, steps)

    code, out, _ = nmt("average", run.path, *arguments, "--json")

    found = json.loads(out)
    assert code == 0
    assert [each["step"] for each in found["checkpoints"]] == steps
    for each in found["checkpoints"]:
        assert each["perplexity"] == scores(run, "perplexity")[each["step"]]
    for one, other in zip(parameters(run, "averaged"), expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-9)
    if steps == [12]:  # the mean of one is validated as that one was
        assert found["averaged"]["perplexity"] == pytest.approx(scores(run, "perplexity")[12])


def test_the_best_by_the_metric_of_the_training(nmt, run):
    falling(run, {2: 9, 4: 9, 6: 9, 8: 5, 10: 7, 12: 7})  # of equal ones, the last
    expected = by_hand(run, [8, 12])

    _, out, _ = nmt("average", run.path, "--best", 2)

    lines = out.splitlines()
    assert [line.partition(":")[0] for line in lines[:2]] == ["step 8", "step 12"]
    assert lines[2].startswith("mean of 2: ppl ")
    assert lines[3] == f"{run.path}: saved; use it with --checkpoint averaged"
    for one, other in zip(parameters(run, "averaged"), expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-9)


def test_the_best_checkpoint_is_among_the_best_though_training_went_on_for_long(run, nmt):
    for step in (8, 10, 12):  # as if they were of later validations
        shutil.rmtree(run.path / "checkpoints" / "kept" / str(step), ignore_errors=True)
    _, out, _ = nmt("average", run.path, "--best", 2, "--json")

    best = {
        json.loads((path / "progress.json").read_text())["step"]
        for path in (run.path / "checkpoints" / "best").iterdir()
    }
    assert {each["step"] for each in json.loads(out)["checkpoints"]} == best


def test_the_mean_is_translated_with_and_shown(nmt, run, text):
    expected = by_hand(run, [10, 12])
    nmt("average", run.path, "--last", 2)

    for one, other in zip(parameters(run, "averaged"), expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-9)
    source = text("in.txt", "a b")
    code, out, _ = nmt("translate", run.path, source, "--checkpoint", "averaged")
    _, info, _ = nmt("info", run.path)
    _, as_json, _ = nmt("info", run.path, "--json")

    assert (code, len(out.splitlines())) == (0, 1)
    assert json.loads(as_json)["kept"] == [8, 10, 12]
    assert json.loads(as_json)["averaged"] == [10, 12]
    assert "steps 8, 10, 12" in info
    assert "steps 10, 12" in info


def test_the_mean_is_summed_in_float64():
    one, small = np.float32(2**24), np.float32(1)  # float32 has no 2 ** 24 + 1

    total = mean(nnx.State({"w": np.array([each])}) for each in (one, small, small, -one))

    assert total["w"].dtype == np.float32
    np.testing.assert_array_equal(total["w"], [0.5])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--last", 4), "run: has kept 3 checkpoints, not 4; ask for fewer, or train on with a "),
        (
            ("--best", 9),
            "checkpoints, not 9; ask for fewer, or train on with a larger training.keep",
        ),
        (("--last", 2, "--best", 2), "--last and --best choose different checkpoints; give one"),
    ],
)
def test_what_cannot_be_averaged_is_one_line(nmt, run, arguments, message):
    code, _, err = nmt("average", run.path, *arguments)

    assert (code, len(err.splitlines()), message in err) == (2, 1, True)
    assert not (run.path / "checkpoints" / "averaged").exists()


def damage(run, *steps):
    """Damages what is kept of validations; returns what is said of each."""
    said = []
    for path in (run.path / "checkpoints" / "kept").iterdir():
        if json.loads((path / "progress.json").read_text())["step"] in steps:
            (path / "params.safetensors").write_bytes(b"damaged")
            problem = "params.safetensors: checksum mismatch"
            said.append((int(path.name), f"{path}: the checkpoint is damaged ({problem})"))
    return [line for _, line in sorted(said, reverse=True)]


@pytest.mark.filterwarnings("default:.*damaged:UserWarning")
@pytest.mark.parametrize("arguments", [(), ("--last", 2)])
def test_a_damaged_checkpoint_is_named_and_left_out(nmt, run, arguments):
    expected = by_hand(run, [8, 10])
    [said] = damage(run, 12)

    code, out, err = nmt("average", run.path, *arguments, "--json")

    assert (code, err) == (0, f"nmt: warning: {said}; averaging without it\n")
    assert [each["step"] for each in json.loads(out)["checkpoints"]] == [8, 10]
    for one, other in zip(parameters(run, "averaged"), expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-9)


def test_the_mean_is_told_where_no_best_checkpoint_is_intact(nmt, run):
    for path in (run.path / "checkpoints" / "best").iterdir():
        (path / "params.safetensors").write_bytes(b"damaged")

    code, out, err = nmt("average", run.path, "--last", 2, "--json")

    assert (code, err) == (0, "")
    found = json.loads(out)
    assert set(found["averaged"]) == {"perplexity", "bleu"}
    logged = scores(run, "perplexity")
    assert found["best"]["step"] == min(logged, key=logged.get)


@pytest.mark.parametrize(
    ("steps", "number", "found", "remedy"),
    [
        ((12,), 3, "2 intact checkpoints", ", or ask for fewer"),
        ((8, 10), 2, "1 intact checkpoint", ", or ask for fewer"),
        ((8, 10, 12), 1, "0 intact checkpoints", ""),
    ],
)
def test_too_few_for_damage_names_the_damaged(nmt, run, steps, number, found, remedy):
    said = "; ".join(damage(run, *steps))

    code, _, err = nmt("average", run.path, "--last", number)

    expected = f"{run.path}: has {found}, not {number}; {said}: restore it from a copy{remedy}"
    assert (code, err) == (2, f"nmt: {expected}\n")
    assert not (run.path / "checkpoints" / "averaged").exists()


def test_all_that_is_kept_may_be_damaged(nmt, run):
    said = "; ".join(damage(run, 8, 10, 12))

    code, _, err = nmt("average", run.path)

    expected = f"{run.path}: has no intact checkpoint to average; {said}: restore it from a copy"
    assert (code, err) == (2, f"nmt: {expected}\n")


@pytest.mark.filterwarnings("default:.*damaged:UserWarning")
def test_a_description_names_the_damaged(nmt, run):
    first, second = damage(run, 8, 12)

    code, out, err = nmt("info", run.path, "--json")

    said = f"nmt: warning: {first}; {second}: left out of those kept\n"
    assert (code, json.loads(out)["kept"], err) == (0, [10], said)


def test_a_run_that_keeps_nothing_is_told_how_to(nmt, run):
    shutil.rmtree(run.path / "checkpoints" / "kept")

    code, _, err = nmt("average", run.path)

    assert code == 2
    assert err == (
        f"nmt: {run.path}: keeps no checkpoints to average; set training.keep=10, for example, "
        "before training or when it goes on\n"
    )


def test_best_without_a_log_names_the_step(nmt, run):
    run.metrics_path.unlink()

    code, _, err = nmt("average", run.path, "--best", 2)

    assert code == 2
    assert err == f"nmt: {run.metrics_path}: has no validation of step 12; choose by --last\n"


def test_a_run_without_an_average_says_how_to_make_it(nmt, run, text):
    code, _, err = nmt("translate", run.path, text("in.txt", "a"), "--checkpoint", "averaged")

    expected = f"{run.path}: has no averaged checkpoint; `nmt average {run.path}` makes it"
    assert (code, err) == (2, f"nmt: {expected}\n")


def test_training_goes_on_and_keeps_as_many_as_it_is_told(run, folder):
    settings = config(folder, "run", keep=2, metric="perplexity")
    longer = settings.training.model_copy(update={"max_steps": 14})

    went_on = train(settings.model_copy(update={"run": str(run.path), "training": longer}))

    steps = sorted(saved.progress.step for saved in went_on.checkpoints.intact("kept"))
    assert steps == [12, 14]
