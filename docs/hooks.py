"""Puts what stands beside docs/ into the site too: pages of the top folder, and linked files."""

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
PAGES = ("README.md", "ARCHITECTURE.md", "CHANGELOG.md", "SECURITY.md")
LINKED = ("notebooks/*.ipynb", "nmt/attention/scores.py", "configs/schema.json")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the files."""
    linked = (str(path.relative_to(ROOT)) for glob in LINKED for path in ROOT.glob(glob))
    for name in (*PAGES, *linked):
        files.append(File(name, str(ROOT), config.site_dir, config.use_directory_urls))
    return files


def on_page_markdown(markdown: str, **_: object) -> str:
    """Makes links lead to where the site has their pages: docs/ and the top folder are one."""
    return re.sub(r"\]\((?:docs|\.\.)/", "](", markdown)
