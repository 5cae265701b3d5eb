"""A training on pictures that are changed at random goes on as if it had not stopped."""

import drawn
import runs
import tiny

from nmt import configfile
from nmt.training.session import train


def test_a_stop_changes_nothing(tmp_path):
    lines = tiny.letters(30, longest=4, seed=3)
    tree = drawn.tree(
        tmp_path / "whole",
        tmp_path,
        lines=lines[:26],
        validation=lines[26:],
        input={"shift": 2, "brightness": 0.3},
        max_epochs=None,
        log_every=3,
        validate_every=3,
    )
    tree["decoding"] |= {"max_output_ratio": 0.5, "max_extra": 0}

    def trained(name, steps):
        tree["run"], tree["training"]["max_steps"] = str(tmp_path / name), steps
        return train(configfile.validate(tree))

    whole = trained("whole", 6)
    trained("stopped", 3)
    runs.assert_same(trained("stopped", 6), whole)
