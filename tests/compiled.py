"""Steps of training and validation that the trainings of one process share."""

from contextlib import contextmanager

import pytest

# What only the loop reads; of the schedules, these do not ask for the number of all steps.
LOOP = {"max_steps", "max_epochs", "max_skipped_updates", "log_every", "validate_every"}
LOOP |= {"patience", "metric", "keep", "attention_images"}
ENDLESS = ("constant", "plateau")

_made = {}


@contextmanager
def shared_steps():
    """Makes and compiles each step once, whichever run folder it is for."""
    from nmt.training import trainer, validation

    make_train_step, make_eval_step = trainer.make_train_step, validation.make_eval_step

    def train_step(config, graph, *, total_steps, **settings):
        unread = {**dict.fromkeys(LOOP, True), "schedule": {"patience"}}
        dumped = config.model_dump_json(exclude={"run": True, "data": True, "training": unread})
        end = None if config.training.schedule.kind in ENDLESS else total_steps
        key = dumped, graph, end, *sorted(settings.items())
        if key not in _made:
            _made[key] = make_train_step(config, graph, total_steps=total_steps, **settings)
        return _made[key]

    def eval_step(config, graph, *, bos):
        key = config.training.dtype, graph, bos
        if key not in _made:
            _made[key] = make_eval_step(config, graph, bos=bos)
        return _made[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trainer, "make_train_step", train_step)
        patch.setattr(validation, "make_eval_step", eval_step)
        yield
