import json
import os
import re
import subprocess
import sys
from collections import Counter

import pytest

from nmt.data.grammar import generate
from nmt.data.grammar.english import english_noun_phrase, third_person
from nmt.data.grammar.german import german_noun_phrase
from nmt.data.grammar.meaning import Clause, NounPhrase, PrepositionalPhrase, Sentence
from nmt.data.grammar.nouns import ADJECTIVES, DAS, DETERMINERS, DU, ER, ICH, MODALS, NOUNS, SIE
from nmt.data.grammar.pairs import translate
from nmt.data.grammar.verbs import (
    AT_HOME,
    AWAITING,
    BE,
    BE_SOMETHING,
    EVERY_DAY,
    HAVE,
    IN_THE_EVENING,
    INTO,
    KNOW,
    OFTEN,
    OUTSIDE,
    TOMORROW,
    VERBS,
    YESTERDAY,
)
from nmt.errors import DataError

CASES = ("nominative", "accusative", "dative")
WILL_NOT, CAN, MUST, WANTS, WOULD_LIKE = MODALS[5], MODALS[0], MODALS[1], MODALS[2], MODALS[4]

# Imports nothing of pytest's: the type checker of the tests makes a whole corpus slow.
SCRIPT = """
import json, sys
from nmt.data.grammar import generate
corpora = {}
for name in sys.argv[1:]:
    split, seed, size = name.split("-")
    pairs = generate(split, seed=int(seed), size=int(size) or None)
    corpora[name] = [(pair.source, pair.target, sorted(pair.links)) for pair in pairs]
heavy = sorted({"numpy", "jax"} & set(sys.modules))
json.dump({"corpora": corpora, "heavy": heavy}, sys.stdout)
"""


def speak(*names, hash_seed="0"):
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}
    command = [sys.executable, "-c", SCRIPT, *names]
    result = subprocess.run(command, env=environment, capture_output=True, check=True, text=True)
    return json.loads(result.stdout)


@pytest.fixture(scope="module")
def corpora():
    """Lists of (source, target, links) by split-seed-size; a size of 0 is the default."""
    return speak("train-1-0", "validation-1-0", "test-1-0", "train-2-1000", "test-2-100")["corpora"]


@pytest.fixture(scope="module")
def train(corpora):
    return corpora["train-1-0"]


def noun(german):
    return next(each for each in NOUNS if german in (each.singular, each.plural))


def phrase(text):
    """Reads "der alt Mann": determiner (a dash for none), adjective if any, noun; "alt Männer"."""
    determiner, *adjective, name = text.split()
    plural = name == noun(name).plural and determiner not in ("ein",)
    if name == noun(name).singular:
        plural = False
    adjective = ADJECTIVES[adjective[0]] if adjective else None
    return NounPhrase(noun(name), DETERMINERS[determiner], plural, adjective)
