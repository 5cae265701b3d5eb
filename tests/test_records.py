"""The records of a training log: which of them are of validations."""

from nmt import records

LOG = [
    {"step": 50, "train/loss": 3.0},
    {"step": 50, "validation/perplexity": 60.0, "validation/bleu": 7.5},
    {"step": 50, "train/loss": 2.9},  # of a training that ends here
    {"step": 60, "train/loss": 2.8},
    {"step": 100, "validation/perplexity": 40.0},
]


def test_scores_are_those_of_validations_whatever_else_is_logged_at_their_steps():
    assert records.validations(LOG) == {
        50: {"perplexity": 60.0, "bleu": 7.5},
        100: {"perplexity": 40.0},
    }
