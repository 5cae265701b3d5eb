"""The batch script of Slurm, with commands in place of Slurm's that note how they are called."""

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "configs" / "slurm.sh"
NOTED = '#!/bin/sh\necho "$(basename "$0")" "$@" >> calls\nexit {code}\n'


@pytest.mark.parametrize(
    ("code", "after"), [(0, []), (2, []), (134, []), (143, ["scontrol requeue 17"])]
)
def test_a_training_that_was_stopped_goes_back_to_the_queue(tmp_path, code, after):
    for name, its_code in {"srun": code, "scontrol": 0}.items():
        (tmp_path / name).write_text(NOTED.format(code=its_code))
        (tmp_path / name).chmod(0o755)
    variables = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "SLURM_JOB_ID": "17"}

    done = subprocess.run(
        ["bash", SCRIPT, "a b.yaml", "run=/shared/x"], cwd=tmp_path, env=variables, check=False
    )

    train = "srun --label --kill-on-bad-exit=0 nmt train a b.yaml run=/shared/x --distributed"
    assert (tmp_path / "calls").read_text().splitlines() == [train, *after]
    assert done.returncode == code
