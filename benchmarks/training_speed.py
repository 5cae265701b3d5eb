"""Target tokens a second of real training: Multi30k, with the sizes that peers are compared at.

    python benchmarks/training_speed.py DIR [KEY=VALUE ...]

DIR has train.de, train.en, val.de and val.en; keys of the configuration make another network.
Prints the median over the last steps, when the programs of all buckets are compiled. Padding is
not counted.
"""

import json
import sys
import tempfile
from pathlib import Path
from statistics import median

import nmt
from nmt import configfile

STEPS, MEASURED = 200, 100


def main(data: Path, overrides: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        config = configfile.load(
            Path(__file__).parents[1] / "configs" / "multi30k-de-en-small.yaml",
            [
                f"run={folder}/run",
                f"data.train={data / 'train'}",
                f"data.validation={data / 'val'}",
                "model.tied_embeddings=none",
                "training.ema=null",
                f"training.max_steps={STEPS}",
                f"training.validate_every={STEPS}",
                "training.log_every=10",
                "training.attention_images=0",
                *overrides,
            ],
        )
        run = nmt.train(config)
        records = [json.loads(line) for line in run.metrics_path.read_text().splitlines()]
    speeds = [
        record["train/tokens_per_second"]
        for record in records
        if record["step"] > STEPS - MEASURED and "train/tokens_per_second" in record
    ]
    print(f"nmt train tokens/s median {median(speeds):.0f}")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("usage: python benchmarks/training_speed.py DIR [KEY=VALUE ...]")
    main(Path(sys.argv[1]), sys.argv[2:])
