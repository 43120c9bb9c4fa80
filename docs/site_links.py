"""A hook of mkdocs: files outside of docs/ that a page links to become part of the site.

The pages are read on the project's own site as well, where such links are relative to the page's file.
"""

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
DOCS = "docs/"
LINK = re.compile(r"(?P<before>\]\(|\b(?:src|href)=\")(?P<target>[^)\s#\"]+)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the files outside of docs/ that the navigation or a page names, and what these link to in turn."""
    known = {f"{DOCS}{file.src_uri}" for file in files}
    wanted = {_name(uri) for uri in _navigation(config.nav)}.union(*map(_linked, known)) - known
    while wanted:
        name = wanted.pop()
        known.add(name)
        files.append(File.generated(config, _uri(name), abs_src_path=str(ROOT / name)))
        wanted |= _linked(name) - known
    return files


def _navigation(nav: object) -> list[str]:
    """The pages of mkdocs.yml's `nav`: lists of mappings from titles to pages or lists."""
    if isinstance(nav, str):
        return [nav]
    below = nav.values() if isinstance(nav, dict) else nav if isinstance(nav, list) else ()
    return [uri for each in below for uri in _navigation(each)]


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Links as they are between the pages of the site."""
    del config, files
    name = _name(page.file.src_uri)

    def moved(found: re.Match[str]) -> str:
        target = _target(name, found["target"])
        if target is None:
            return found[0]
        return found["before"] + posixpath.relpath(
            _uri(target), posixpath.dirname(_uri(name)) or "."
        )

    return LINK.sub(moved, markdown)


def _linked(name: str) -> set[str]:
    if not name.endswith(".md"):
        return set()
    text = (ROOT / name).read_text(encoding="utf-8")
    return {target for found in LINK.finditer(text) if (target := _target(name, found["target"]))}


def _target(name: str, link: str) -> str | None:
    """The project's file, by its path in the project, that a link in the file `name` leads to."""
    if re.match(r"[a-z]+:|/", link):
        return None
    path = posixpath.normpath(posixpath.join(posixpath.dirname(name), link))
    return path if (ROOT / path).is_file() else None


def _uri(name: str) -> str:
    """The place in the site of a file of the project."""
    return name.removeprefix(DOCS)


def _name(uri: str) -> str:
    """The file of the project at a place in the site."""
    return DOCS + uri if (ROOT / DOCS / uri).is_file() else uri
