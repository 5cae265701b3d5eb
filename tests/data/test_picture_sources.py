"""Sources of pictures: the same cells from every origin, every form of a file, every refusal."""

import contextlib
import io
import json
import re
import shutil

import numpy as np
import PIL.Image
import PIL.ImageOps
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import Dataset, Features, Image, Value
from hypothesis import given
from hypothesis import strategies as st

from nmt.config import CorpusConfig, DataConfig, PictureInputConfig, TrainedTokenizerConfig
from nmt.data import corpus, scenes, tokenizer_training
from nmt.data.cells import pixels
from nmt.data.pictures import Pictures
from nmt.errors import DataError

LINES = ["a b", "c", "b c"]
INPUT = PictureInputConfig(height=16, width=24, cell=8)
SKIPPING = INPUT.model_copy(update={"invalid": "skip"})


def picture(seed, size=(24, 16)):
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), np.uint8)
    return PIL.Image.fromarray(pixels)


def cells_of(pixels, cell):
    """Cuts pixels into cells in reading order, one number after the other."""
    height, width, _ = pixels.shape
    found = []
    for top in range(0, height, cell):
        for left in range(0, width, cell):
            block = [
                pixels[top + i, left + j, color]
                for i in range(cell)
                for j in range(cell)
                for color in range(3)
            ]
            found.append(block)
    return np.array(found, np.uint8)


def file_of(image, form="PNG", **options):
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def read(source):
    return Pictures(INPUT).read(source, where="")


def load(input=INPUT, **where):
    return corpus.load(CorpusConfig(**where), source="image", target="en", input=input)


@pytest.fixture(scope="module")
def tokenizers():
    settings = TrainedTokenizerConfig(vocabulary_size=8, byte_fallback=False)
    return tokenizer_training.train((), LINES * 20, settings)


@pytest.fixture
def folder(tmp_path):
    """Three pictures, and every kind of file that names or holds them."""
    (tmp_path / "p").mkdir()
    names = [f"p/{number}.png" for number in range(3)]
    for number, name in enumerate(names):
        picture(number).save(tmp_path / name)
    rows = [{"image": name, "en": line} for name, line in zip(names, LINES, strict=True)]
    (tmp_path / "x.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    (tmp_path / "x.tsv").write_text("".join(f"{row['image']}\t{row['en']}\n" for row in rows))
    (tmp_path / "x.image").write_text("".join(f"{name}\n" for name in names))
    (tmp_path / "x.en").write_text("".join(f"{line}\n" for line in LINES))
    data = {"image": [str(tmp_path / name) for name in names], "en": LINES}
    Dataset.from_dict(data).to_parquet(tmp_path / "paths.parquet")
    typed = Features({"image": Image(), "en": Value("string")})
    Dataset.from_dict(data, features=typed).to_parquet(tmp_path / "typed.parquet")
    stored = [(tmp_path / name).read_bytes() for name in names]
    Dataset.from_dict({**data, "image": stored}).to_parquet(tmp_path / "bytes.parquet")
    large = {"image": pa.array(names, pa.large_string()), "en": pa.array(LINES)}
    pq.write_table(pa.table(large), tmp_path / "names.parquet")  # as polars writes it
    large["image"] = large["image"].cast(pa.string_view())
    pq.write_table(pa.table(large), tmp_path / "views.parquet")
    rows = [{"bytes": content, "path": None} for content in stored]
    pq.write_table(pa.table({"image": rows, "en": LINES}), tmp_path / "rows.parquet")
    return tmp_path


@pytest.mark.parametrize(
    "name",
    ["x.jsonl", "x.tsv", "x"]
    + [f"{name}.parquet" for name in ("paths", "typed", "bytes", "names", "views", "rows")],
)
def test_the_cells_are_the_same_from_every_origin(folder, tokenizers, name):
    text = load(path=str(folder / name))
    encoded = corpus.encode(text, tokenizers, input=INPUT)

    assert list(text["target"]) == LINES
    for number, (source, _) in enumerate(corpus.rows(encoded, range(3))):
        np.testing.assert_array_equal(source, cells_of(np.asarray(picture(number)), 8))
    assert corpus.lengths(encoded)[:, 0].tolist() == [6, 6, 6]


def test_a_data_set_of_the_hub_has_an_image_column(folder, tokenizers, tmp_path):
    (tmp_path / "hub").mkdir()
    (folder / "typed.parquet").rename(tmp_path / "hub" / "train.parquet")
    text = load(hub=str(tmp_path / "hub"), columns=["image", "en"])

    (source, _), *_ = corpus.rows(corpus.encode(text, tokenizers, input=INPUT), [2])
    np.testing.assert_array_equal(source, cells_of(np.asarray(picture(2)), 8))


@given(
    rows=st.integers(1, 4),
    columns=st.integers(1, 4),
    cell=st.sampled_from([1, 2, 4]),
    seed=st.integers(0, 99),
)
def test_cells_are_cut_in_reading_order_and_joined_again(rows, columns, cell, seed):
    config = PictureInputConfig(height=rows * cell, width=columns * cell, cell=cell)
    drawn = np.asarray(picture(seed, (columns * cell, rows * cell)))
    cells = Pictures(config).read(drawn, where="")

    np.testing.assert_array_equal(cells, cells_of(drawn, cell))
    np.testing.assert_array_equal(pixels(cells, config.grid), drawn)


def test_every_form_of_a_source_gives_the_same_cells(tmp_path):
    image = picture(7)
    image.save(tmp_path / "x.png")
    stored = (tmp_path / "x.png").read_bytes()
    forms = [tmp_path / "x.png", str(tmp_path / "x.png"), stored, image, np.asarray(image)]
    forms += [{"bytes": stored, "path": None}, {"bytes": None, "path": str(tmp_path / "x.png")}]
    for form in forms:
        np.testing.assert_array_equal(read(form), cells_of(np.asarray(image), 8))
    np.testing.assert_array_equal(read(read(image)), read(image))


def test_pictures_are_turned_upright():
    image = picture(3, (16, 24))
    exif = PIL.Image.Exif()
    exif[0x0112] = 6  # it was taken with the camera turned: rotate it by 90 degrees clockwise
    turned = np.rot90(np.asarray(image), k=-1)

    np.testing.assert_array_equal(read(file_of(image, exif=exif)), cells_of(turned, 8))


def test_what_is_transparent_is_white():
    clear = PIL.Image.new("RGBA", (24, 16), (255, 0, 0, 0))
    assert (read(file_of(clear)) == 255).all()


@pytest.mark.parametrize(("mode", "gray"), [("L", 90), ("P", 90), ("1", 255), ("I;16", 90 * 257)])
def test_gray_pictures_have_three_equal_colors(mode, gray):
    image = PIL.Image.new("L" if mode == "P" else mode, (24, 16), gray)
    cells = read(file_of(image.convert("P") if mode == "P" else image))
    assert (cells == (gray // 257 if mode == "I;16" else gray)).all()


def test_other_sizes_are_resized_as_a_whole():
    wide = PIL.Image.new("RGB", (200, 10), "blue")
    wide.paste((255, 255, 0), (100, 0, 200, 10))  # its right half
    small = pixels(read(wide), INPUT.grid)

    assert small.shape == (16, 24, 3)
    np.testing.assert_array_equal(small[8, 2], (0, 0, 255))
    np.testing.assert_array_equal(small[8, 21], (255, 255, 0))


def test_a_picture_that_changes_is_read_again(folder, tokenizers):
    before = corpus.encode(load(path=str(folder / "x.jsonl")), tokenizers, input=INPUT)
    first = corpus.rows(before, [1])[0][0]
    picture(99, (48, 32)).save(folder / "p" / "1.png")
    after = corpus.encode(load(path=str(folder / "x.jsonl")), tokenizers, input=INPUT)

    assert not np.array_equal(first, corpus.rows(after, [1])[0][0])


def refused(message):
    return pytest.raises(DataError, match=f"^{re.escape(message)}")


DAMAGED = {"empty": b"", "text": b"no picture", "cut": file_of(picture(1, (99, 99)))[:2000]}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_picture_is_named_by_row_and_file(folder, tokenizers, content):
    damaged = folder / "p" / "1.png"
    damaged.write_bytes(content)
    text = load(path=str(folder / "x.jsonl"))

    remedy = "data.input.invalid=skip leaves such rows out of a training, and in the config.yaml of"
    message = f"row 2: {damaged}: not a picture that can be read; is the file whole?; {remedy}"
    with refused(message):
        corpus.encode(text, tokenizers, input=INPUT)


def test_a_missing_picture_is_named(folder, tokenizers):
    (folder / "p" / "2.png").unlink()
    with refused(f"row 3: {folder / 'p' / '2.png'}: no such picture; data.input.invalid=skip"):
        corpus.encode(load(path=str(folder / "x.tsv")), tokenizers, input=INPUT)


def test_invalid_pictures_may_be_skipped(folder, tokenizers):
    (folder / "p" / "0.png").unlink()
    (folder / "p" / "1.png").write_bytes(b"damaged")
    text = load(SKIPPING, path=str(folder / "x.jsonl"))
    with pytest.warns(UserWarning, match=r"left out: row 1: .*0\.png: no such picture, and 1 more"):
        encoded = corpus.encode(text, tokenizers, input=SKIPPING)
    limits = DataConfig(train="x", validation="x", input=SKIPPING)
    pairs, report = corpus.fitting(encoded, limits)

    assert str(report).startswith("1 of 3 pairs kept; left out: 2 empty")
    np.testing.assert_array_equal(
        corpus.rows(pairs, [0])[0][0], cells_of(np.asarray(picture(2)), 8)
    )


@pytest.mark.parametrize("most", [300, 100])  # of which Pillow itself only warns, or refuses more
def test_a_picture_of_too_many_pixels_is_refused(monkeypatch, most):
    monkeypatch.setattr(PIL.Image, "MAX_IMAGE_PIXELS", most)
    with refused(f"row 1: has more than {most} pixels; make it smaller"):
        Pictures(INPUT).arrays([file_of(picture(0))], before=0)


def test_a_column_of_numbers_has_no_pictures(tmp_path):
    Dataset.from_dict({"image": [1, 2], "en": ["a", "b"]}).to_parquet(tmp_path / "x.parquet")
    with refused(f"{tmp_path / 'x.parquet'}: the source column holds int64, and no pictures"):
        load(path=str(tmp_path / "x.parquet"))


@pytest.mark.parametrize("language", ["de", "en"])
def test_the_embedded_scenes_are_drawn_with_their_sentences(language):
    split = "validation"
    text = corpus.load(
        CorpusConfig(path="scenes", split=split), source="image", target=language, input=INPUT
    )
    known = scenes.scenes(split)

    assert list(text["target"]) == [scene.sentence(language).text for scene in known]
    first = PIL.Image.open(io.BytesIO(text[0]["source"]["bytes"]))
    np.testing.assert_array_equal(np.asarray(first), np.asarray(scenes.draw(known[0])))


def test_scenes_have_two_languages():
    with refused("the corpus of scenes has no language 'fr'; choose de or en"):
        where = CorpusConfig(path="scenes", split="validation")
        corpus.load(where, source="image", target="fr", input=INPUT)


def content(folder, name):
    return Pictures(INPUT).content(load(path=str(folder / name)))


@pytest.mark.parametrize("name", ["x.jsonl", "paths.parquet", "bytes.parquet"])
def test_a_copy_has_the_same_content_and_another_picture_or_text_another(folder, name):
    before = content(folder, name)
    copy = shutil.copytree(folder, folder.parent / f"{folder.name}-elsewhere")
    assert content(copy, name) == before

    if name == "x.jsonl":
        with (copy / "p" / "1.png").open("ab") as file:
            file.write(b"0")
        assert content(copy, name) != before
    rows = {"image": [str(folder / "p" / f"{i}.png") for i in range(3)], "en": ["a b", "c", "b"]}
    Dataset.from_dict(rows).to_parquet(copy / "other.parquet")
    assert content(copy, "other.parquet") != before


@pytest.mark.parametrize("kind", ["paths", "bytes", "typed", "rows"])
def test_where_a_picture_is_null_belongs_to_the_content(folder, tokenizers, kind):
    def nulls(*places):
        stored = pq.read_table(folder / f"{kind}.parquet")
        images = stored["image"].to_pylist()
        images = [None if place in places else image for place, image in enumerate(images)]
        column = pa.array(images, stored["image"].type)
        name = f"{kind}-{len(places)}{places[0]}.parquet"
        pq.write_table(stored.set_column(0, stored.schema.field("image"), column), folder / name)
        return name

    first, second, all_three = nulls(0), nulls(1), nulls(0, 1, 2)
    assert len({content(folder, name) for name in (first, second, all_three)}) == 3
    text = load(SKIPPING, path=str(folder / first))
    with pytest.warns(UserWarning, match=r"^left out: row 1: not a picture that can be read; is t"):
        encoded = corpus.encode(text, tokenizers, input=SKIPPING)
    assert corpus.lengths(encoded)[:, 0].tolist() == [0, 6, 6]


def test_gray_of_16_bits_keeps_its_steps():
    pixels = np.linspace(0, 65535, 16 * 24).astype(np.uint16).reshape(16, 24)
    gray = (pixels // 256).astype(np.uint8)[..., None].repeat(3, axis=2)

    pgm = b"P5 24 16 65535\n" + pixels.astype(">u2").tobytes()

    for file in (pgm, file_of(PIL.Image.fromarray(pixels))):
        np.testing.assert_array_equal(read(file), cells_of(gray, 8))


def test_damaged_metadata_do_not_matter():
    image = picture(0)
    exif = PIL.Image.Exif()
    exif[0x010F] = "a maker whose name is longer than four bytes"
    file = file_of(image, exif=exif.tobytes()[:-20])

    np.testing.assert_array_equal(read(file), cells_of(np.asarray(image), 8))


NO_ARRAY = "; a picture is one uint8 of height x width x 3, in RGB from 0 to 255"
NO_WHITE = ": pixels of 32 bits, whose white is not known; store 8 or 16 bits of each"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (np.zeros((16, 24, 3)), f": an array float64 of 16 x 24 x 3{NO_ARRAY}"),
        (np.zeros((16, 24), np.uint8), f": an array uint8 of 16 x 24{NO_ARRAY}"),
        (np.zeros(3, np.uint8), f": an array uint8 of 3{NO_ARRAY}"),
        (np.zeros((2, 192), np.uint8), f": an array uint8 of 2 x 192{NO_ARRAY}"),
        (np.zeros((0, 24, 3), np.uint8), ": a picture without pixels"),
        (PIL.Image.new("F", (24, 16)), NO_WHITE),
        (PIL.Image.new("I", (24, 16)), NO_WHITE),
    ],
    ids=["float", "gray", "one", "cells", "none", "float of Pillow", "integer of Pillow"],
)
def test_what_has_no_colours_is_refused(source, message):
    with pytest.raises(DataError, match=f"^{re.escape(message)}$"):
        read(source)


@given(
    form=st.sampled_from(["PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP", "AVIF", "DDS"]),
    places=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), max_size=9),
)
def test_a_damaged_file_is_read_or_refused(form, places):
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    file = bytearray(file_of(picture(0), form, exif=exif))
    for place, value in places:
        file[int(place**3 * len(file))] = value  # most of them are at its beginning

    with contextlib.suppress(DataError):
        assert read(bytes(file)).shape == (6, 192)


def test_a_program_is_no_picture():
    """PostScript would be run by another program."""
    program = file_of(picture(1), "EPS")
    with refused("row 1: not a picture that can be read"):
        Pictures(INPUT).arrays([program], before=0)


PARQUET = [f"{name}.parquet" for name in ("paths", "typed", "bytes", "names", "views", "rows")]


@pytest.mark.parametrize("name", ["x.jsonl", "headed.tsv", "x.image", *PARQUET])
def test_the_pictures_of_a_file_are_captioned_in_its_order(folder, name):
    headed = "image\ten\n" + (folder / "x.tsv").read_text()
    (folder / "headed.tsv").write_text(headed)
    kind = Pictures(INPUT)

    found = kind.arrays(kind.sources(folder / name, column="image"), before=0)

    assert len(found) == 3
    for number, cells in enumerate(found):
        np.testing.assert_array_equal(cells, cells_of(np.asarray(picture(number)), 8))


@pytest.mark.parametrize("name", ["x.PNG", "x.jfif", "x"])
def test_a_picture_is_known_by_its_content(folder, name):
    (folder / "p" / "1.png").rename(folder / name)
    assert Pictures(INPUT).sources(folder / name, column="image") == [str(folder / name)]


RENAMED = "; name the one to read so; in TSV, the first line has the names"


@pytest.mark.parametrize(
    ("name", "column", "message"),
    [
        ("x.tsv", "image", f"no column 'image'; there are: p/0.png, a b{RENAMED}"),
        ("x.jsonl", "file", f"no column 'file'; there are: image, en{RENAMED}"),
        ("paths.parquet", "file", f"no column 'file'; there are: image, en{RENAMED}"),
        ("gap.txt", "image", "line 2: blank; remove the line"),
        ("none.txt", "image", "no such file"),
    ],
)
def test_what_lists_no_pictures_is_named(folder, name, column, message):
    (folder / "gap.txt").write_text("p/0.png\n\np/1.png\n")
    with pytest.raises(DataError, match=re.escape(message)) as error:
        Pictures(INPUT).sources(folder / name, column=column)

    assert str(folder / name) in str(error.value)
