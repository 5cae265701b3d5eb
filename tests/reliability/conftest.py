"""One corpus, and programs that are compiled once, for all trainings of this folder."""

import pytest
import runs
import tiny

from nmt.training import trainer, validation

# What only the loop reads, under a schedule that does not ask for the number of all steps.
LOOP = {"max_steps", "max_epochs", "max_skipped_updates", "log_every", "validate_every"}


@pytest.fixture(scope="package", autouse=True)
def compiled_once():
    """Has trainings of the same configuration in this process share their steps."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trainer, "make_train_step", once(trainer.make_train_step))
        patch.setattr(validation, "make_eval_step", once(validation.make_eval_step))
        yield


def once(make):
    """Returns a maker of steps that makes each step once, whichever run folder it is for."""
    steps = {}

    def remembered(config, graph, **settings):
        steps_ignore = {"run": True, "data": True, "training": LOOP}
        key = config.model_dump_json(exclude=steps_ignore), settings.get("update")
        if key not in steps:
            steps[key] = make(config, graph, **settings)
        return steps[key]

    return remembered


@pytest.fixture(scope="package")
def corpus(tmp_path_factory):
    return tiny.write_corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="package")
def undisturbed(tmp_path_factory, corpus):
    """A run of nine steps, 27 batches, without a stop."""
    path = tmp_path_factory.mktemp("undisturbed") / "run"
    return trainer.train(runs.config(path, corpus, max_steps=9))
