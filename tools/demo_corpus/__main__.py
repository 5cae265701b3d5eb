"""Writes the embedded corpora: run `python -m demo_corpus` in the folder `tools`."""

import gzip

from demo_corpus import SIZES, generate, scenes
from nmt.data import embedded
from nmt.data import scenes as embedded_scenes
from nmt.evaluation.pharaoh import format_links


def table() -> str:
    """Returns the text of the file: its splits one after the other, a pair a line."""
    return "".join(
        f"{split}\t{pair.source}\t{pair.target}\t{format_links(pair.links)}\n"
        for split in SIZES
        for pair in generate(split)
    )


if __name__ == "__main__":
    for path, text in ((embedded.PATH, table()), (embedded_scenes.PATH, scenes.table())):
        # Without the time of writing, so that the same text makes the same file.
        path.write_bytes(gzip.compress(text.encode(), mtime=0))
