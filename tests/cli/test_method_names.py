"""The help of the commands, which start without the library, names the methods that it has."""

import re

from nmt.cli.links import LINK_METHODS
from nmt.evaluation import symmetrization


def names(text):
    return tuple(re.split(", | or ", text.rstrip(".")))


def test_the_help_names_each_method_of_symmetrization():
    assert names(LINK_METHODS) == symmetrization.METHODS
