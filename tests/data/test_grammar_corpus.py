"""What holds of every pair of the embedded corpus, and of those that other seeds would give."""

import gzip
import os
import re
import subprocess
import sys
from collections import Counter
from itertools import combinations
from pathlib import Path

import pytest

from demo_corpus import generate
from nmt.data import embedded

TOOLS = Path(__file__).parents[2] / "tools"
SCRIPT = """
import sys
from demo_corpus.__main__ import table
sys.stdout.buffer.write(table().encode())
"""


@pytest.fixture(scope="module")
def corpora():
    """The embedded corpus, and others of the same grammar, called split-seed."""
    found = {f"{split}-1": embedded.pairs(split) for split in embedded.SPLITS}
    found["train-2"] = generate("train", seed=2, size=2000)
    found["test-2"] = generate("test", seed=2, size=200)
    return {
        name: [(each.source, each.target, each.links) for each in corpus]
        for name, corpus in found.items()
    }


@pytest.fixture(scope="module")
def pairs(corpora):
    return [pair for corpus in corpora.values() for pair in corpus]


def words(text):
    return re.findall(r"\w+", text.lower())


def clauses(source):
    """Returns the main clause, then the subordinate one or None."""
    first, _, second = source.rstrip(".").partition(", ")
    if first.split()[0].lower() in CONJUNCTIONS:
        return second, first
    return first, second or None


CONJUNCTIONS = {"dass", "ob", "weil", "obwohl", "wenn", "während", "bevor"}
PARTICLES = {"ruft": "an", "holt": "ab", "räumt": "auf"}
INFINITIVES = words(
    """
    fragen brauchen wohnen sehen finden liegen kaufen suchen geben legen essen trinken schlafen
    warten bleiben bringen kommen lesen schreiben helfen kochen singen reparieren waschen arbeiten
    spielen gehen fahren laufen sagen glauben anrufen abholen aufräumen aufmachen zumachen ankommen
    fernsehen einkaufen"""
)
THIRD_PERSONS = words(
    """
    fragt braucht wohnt sieht findet liegt kauft sucht gibt legt isst trinkt schläft wartet bleibt
    bringt kommt liest schreibt hilft kocht singt repariert wäscht arbeitet spielt geht fährt läuft
    sagt glaubt anruft abholt aufräumt aufmacht zumacht ankommt fernsieht einkauft"""
)
MODALS = words(
    """
    werde wirst wird werden kann kannst können muss musst müssen will willst wollen soll sollst
    sollen möchte möchtest möchten"""
)
OTHERS = words(
    """
    habe hast hat haben hatte hatten bin bist ist sind war warst waren weiß wissen
    rufe ruft rufen hole holt holen räume räumt räumen mache macht machen"""
)
FINITE = {*INFINITIVES, *(each[:-1] for each in INFINITIVES), *THIRD_PERSONS, *MODALS, *OTHERS}
FRONT = (  # a time, a pronoun, or one noun with what belongs to it
    "Gestern|Heute Morgen|Heute|Morgen|Jetzt|Oft|Manchmal|Letzte Woche|Jeden Tag"
    "|Am (?:Sonntag|Abend|Morgen)|Ich|Du|Er|Sie|Wir|Das"
    "|[A-Z][a-zäöüß]+(?: [a-zäöüß]+)* [A-ZÄÖÜ][a-zäöüß]+"
)


def test_the_finite_verb_of_a_main_clause_is_second(pairs):
    second = re.compile(f"(?:{FRONT}) (?:{'|'.join(FINITE)})\\b")
    for source, _, _ in pairs:
        main, _ = clauses(source)
        behind_a_clause = main[0].islower()
        assert main.split()[0] in FINITE if behind_a_clause else second.match(main), source


def test_the_finite_verb_of_a_subordinate_clause_is_last(pairs):
    subordinate = [(source, clauses(source)[1]) for source, _, _ in pairs if "," in source]

    assert len(subordinate) > 1000
    for source, clause in subordinate:
        assert clause.split()[-1] in FINITE, source
        assert not set(clause.split()[:-1]) & {*OTHERS, *MODALS}, source


def test_infinitives_and_particles_close_the_main_clause(pairs):
    for source, _, _ in pairs:
        first, *others = clauses(source)[0].split()
        if set(MODALS) & {first, *others}:
            assert others[-1] in INFINITIVES, source
        for verb in PARTICLES.keys() & {first, *others}:
            assert others[-1] == PARTICLES[verb], source


def test_a_or_an_follows_the_sound_of_the_next_word(pairs):
    for _, target, _ in pairs:
        assert not re.search(r"\b(?:[Aa] [aeiou]|[Aa]n [^aeiou])", target), target


def test_sentences_are_written_as_sentences(pairs):
    for source, target, _ in pairs:
        for text in (source, target):
            assert text[0].isupper()
            assert text.endswith(".")
            assert text == " ".join(text.split())
        assert 3 <= len(source.split()) <= 16


def test_every_word_is_linked_and_every_link_is_between_words(pairs):
    for source, target, links in pairs:
        sources, targets = (set(side) for side in zip(*links, strict=True))
        assert sources == set(range(len(source.split()))), source
        assert targets == set(range(len(target.split()))), target


def test_a_german_sentence_has_one_translation(pairs):
    translations = {(source, target) for source, target, _ in pairs}

    assert len(translations) == len({source for source, _ in translations})


def test_splits_have_no_sentence_in_common_whatever_the_seed(corpora):
    for (first, some), (second, others) in combinations(corpora.items(), 2):
        if first.split("-")[0] != second.split("-")[0]:
            for side in (0, 1):
                assert not {pair[side] for pair in some} & {pair[side] for pair in others}


def test_no_pair_occurs_twice_in_a_split(corpora):
    sizes = {}
    for name, corpus in corpora.items():
        sizes[name] = len(corpus)
        assert len({source for source, _, _ in corpus}) == len(corpus)

    assert sizes["train-1"] == 12_000
    assert sizes["validation-1"] == 300
    assert sizes["test-1"] == 500
    assert sizes["train-2"] == 2000


@pytest.mark.parametrize("side", [0, 1])
def test_every_word_is_often_in_the_training_split(corpora, side):
    counts = Counter(word for pair in corpora["train-1"] for word in words(pair[side]))
    unseen = {word for pair in corpora["test-1"] for word in words(pair[side])} - counts.keys()

    assert min(counts.values()) >= 15
    assert not unseen
    assert 250 <= len(counts) <= 450


def test_the_seed_alone_decides(corpora):
    first, other = ([each.source for each in generate("train", seed=n, size=100)] for n in (1, 2))

    assert first == [source for source, _, _ in corpora["train-1"][:100]]
    assert other == [source for source, _, _ in corpora["train-2"][:100]]
    assert first != other


def test_the_package_has_what_the_generator_writes():
    environment = {**os.environ, "PYTHONHASHSEED": "1"}  # which must not matter
    written = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=TOOLS, env=environment, capture_output=True, check=True
    )

    assert gzip.decompress(embedded.PATH.read_bytes()) == written.stdout
