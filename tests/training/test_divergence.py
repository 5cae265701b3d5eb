"""What a report of divergence says of the corpus in which it counts sentences."""

import pytest

from nmt import configfile
from nmt.training.divergence import where_counted

SEVERAL = [{"path": "a"}, {"path": "b"}]


@pytest.mark.parametrize(
    ("data", "where"),
    [
        ({"train": "a"}, "the training corpus"),
        ({"train": SEVERAL}, "the training corpora, one after the other"),
        ({"train": "a", "clean": True}, "the training corpus as `nmt clean` writes it"),
        ({"train": SEVERAL, "clean": True}, "the training corpus as `nmt clean` writes it"),
    ],
)
def test_sentences_are_counted_where_a_user_can_find_them(data, where):
    assert where_counted(configfile.validate({"data": {"validation": "v", **data}}).data) == where
