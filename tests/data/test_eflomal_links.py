"""Links that eflomal makes: by a package that stands for it, and by the real one."""

import sys
from importlib import metadata
from itertools import cycle, product

import pytest

from nmt import caches
from nmt.config import CorpusConfig
from nmt.data import corpus
from nmt.errors import DataError
from nmt.evaluation.pharaoh import parse_links
from nmt.evaluation.symmetrization import symmetrize

PAIRS = [("ein kleiner Hund", "a small dog"), ("", ""), ("zwei Katzen", "two cats sing")]

# Both directions differ, and what is asked for is written down.
FORWARD, BACKWARD = ("0-0 1-1 2-1", "", "0-0 1-1 1-2"), ("0-0 1-1 2-2", "", "0-0")
STAND_IN = f"""
from pathlib import Path

class Aligner:
    def align(self, source, target, links_filename_fwd, links_filename_rev):
        with Path(__file__).with_name("asked").open("a") as asked:
            print(list(source), list(target), file=asked)
        Path(links_filename_fwd).write_text("\\n".join({FORWARD!r}) + "\\n")
        Path(links_filename_rev).write_text("\\n".join({BACKWARD!r}) + "\\n")
"""


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    caches.alignments.cache_clear()
    yield tmp_path / "cache" / "nmt" / "alignments"
    caches.alignments.cache_clear()


@pytest.fixture
def stand_in(monkeypatch, tmp_path):
    """A package that is found instead of eflomal; returns a function that sets its version."""
    place = tmp_path / "packages"
    (place / "eflomal").mkdir(parents=True)
    (place / "eflomal" / "__init__.py").write_text(STAND_IN)
    monkeypatch.syspath_prepend(str(place))
    monkeypatch.delitem(sys.modules, "eflomal", raising=False)

    def release(version):
        for old in place.glob("*.dist-info"):
            (old / "METADATA").unlink()
            old.rmdir()
        made = place / f"eflomal-{version}.dist-info"
        made.mkdir()
        (made / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: eflomal\nVersion: {version}\n"
        )

    release("2.0.0")
    yield release
    sys.modules.pop("eflomal", None)


def load(folder, pairs=PAIRS, alignments="eflomal", **choice):
    for place, language in enumerate(("de", "en")):
        text = "".join(f"{pair[place]}\n" for pair in pairs)
        (folder / f"train.{language}").write_text(text, encoding="utf-8")
    where = CorpusConfig(path=str(folder / "train"), alignments=alignments)
    return corpus.load(where, source="de", target="en", **choice)


def asked(folder):
    return (folder / "packages" / "eflomal" / "asked").read_text().splitlines()


def test_both_directions_are_joined_and_belong_to_their_pairs(stand_in, tmp_path):
    text = load(tmp_path)

    both = [
        symmetrize(*(parse_links(line).sure for line in lines), method="grow-diag-final-and")
        for lines in zip(FORWARD, BACKWARD, strict=True)
    ]
    assert both[0] != both[0] & {(0, 0), (1, 1)}  # not the intersection
    assert text["links"][:] == [[place for link in sorted(each) for place in link] for each in both]
    assert list(zip(text["source"], text["target"], strict=True)) == PAIRS
    sides = [[pair[side] for pair in PAIRS] for side in (0, 1)]
    assert asked(tmp_path) == [f"{sides[0]} {sides[1]}"]


def test_a_text_is_aligned_once_for_each_version(stand_in, tmp_path, cache):
    first = load(tmp_path)
    again = load(tmp_path)
    kept = {path.name for path in cache.glob("*.align")}
    other = load(tmp_path, [(source.upper(), target) for source, target in PAIRS])
    stand_in("2.1.0")
    newer = load(tmp_path)

    assert first["links"][:] == again["links"][:] == other["links"][:] == newer["links"][:]
    assert len(asked(tmp_path)) == 3
    assert len(kept) == 1
    assert len(list(cache.glob("*.align"))) == 3


def test_the_languages_of_a_pair_are_not_exchanged_in_the_cache(stand_in, tmp_path):
    same = [PAIRS[0], ("", ""), ("zwei neue Katzen", "two new cats")]
    load(tmp_path, same)
    where = CorpusConfig(path=str(tmp_path / "train"), alignments="eflomal")

    corpus.load(where, source="en", target="de")

    first, second = asked(tmp_path)
    assert first.index("Hund") < first.index("dog")
    assert second.index("dog") < second.index("Hund")


def test_a_file_of_this_name_is_given_with_its_folder(monkeypatch, stand_in, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "eflomal").write_text("0-1\n\n\n")

    text = load(tmp_path, alignments="./eflomal")

    assert text["links"][:] == [[0, 1], [], []]
    assert not (tmp_path / "packages" / "eflomal" / "asked").exists()


def test_without_the_package_one_line_says_what_to_install(monkeypatch, tmp_path, cache):
    def absent(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", absent)

    message = (
        r"data\.train\.alignments: eflomal is not installed; install nmt\[eflomal\], or give a "
        r"file of links \(\./eflomal, if it has this name\)"
    )
    with pytest.raises(DataError, match=f"^{message}$"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        ("import subprocess; subprocess.run(['false'], check=True)", "non-zero exit status 1"),
        ("raise OSError(28, 'No space left on device')", "No space left on device"),
    ],
    ids=["program", "disk"],
)
def test_a_failure_is_said_and_nothing_is_kept(stand_in, tmp_path, cache, failure, reason):
    package = tmp_path / "packages" / "eflomal" / "__init__.py"
    package.write_text(
        STAND_IN.replace("        with Path", f"        {failure}\n        with Path")
    )

    with pytest.raises(
        DataError, match=rf"^data\.train\.alignments: eflomal has failed .*{reason}"
    ):
        load(tmp_path)
    assert list(cache.glob("*.align*")) == list(cache.glob("*.lock"))


@pytest.fixture
def real():
    pytest.importorskip("eflomal", reason="eflomal is not installed: pip install 'nmt[eflomal]'")


def triples(spaces):
    """Lines of three of twelve words in order, each six times, divided by these spaces in turn."""
    numbers = [sorted(each) for each in product(range(12), repeat=3) if len(set(each)) == 3]
    return [
        space.join(f"w{number}" for number in each)
        for each, space in zip(numbers, cycle(spaces), strict=False)
    ]


def test_the_real_package_aligns_a_text_with_itself(real, tmp_path):
    pairs = [(line, line.upper()) for line in triples(" ")]

    text = load(tmp_path, [*pairs, ("", "w1"), ("w1", "")])

    assert text["links"][:] == [[0, 0, 1, 1, 2, 2]] * len(pairs) + [[], []]


def test_the_real_package_counts_words_as_the_column_does(real, tmp_path):
    pairs = [(line, line) for line in triples("\u00a0\u3000\x1c")]

    text = load(tmp_path, pairs)

    # There is no warning either, though `data.word_boundaries: spaces` counts one word a line.
    assert text["links"][:] == [[0, 0, 1, 1, 2, 2]] * len(pairs)
