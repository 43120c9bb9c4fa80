"""What is wrong with the source of a page, by what HTML and a reader without a network ask of it."""

import re
from html.parser import HTMLParser

VOID = {"meta", "link", "img", "br", "hr", "input"}
SAFE = re.compile(r"data:|#|[\w.-]+(/[\w.-]+)*/?$")  # inside the page, or beside it
CSS_URL = re.compile(r"url\(\s*['\"]?(?!data:)|@import")


class Page(HTMLParser):
    """Reads a page; `faults` are what a reader would stumble over."""

    def __init__(self, source):
        super().__init__()
        self.faults, self.open, self.ids, self.links = [], [], [], []
        self.headings, self.words, self.tags = [], [], []
        self._feed(source)

    def _feed(self, source):
        if not source.startswith("<!DOCTYPE html>"):
            self.faults.append("no doctype at its start")
        self.feed(source)
        self.close()
        self.faults += [f"<{tag}> never ends" for tag, _ in self.open]
        self.faults += [f"id {each} twice" for each in set(self.ids) if self.ids.count(each) > 1]
        self.faults += [f"#{to} leads nowhere" for to in self.links if to not in self.ids]
        steps = zip([0, *self.headings], self.headings, strict=False)
        self.faults += [f"h{to} after h{before}" for before, to in steps if to > before + 1]
        if self.headings.count(1) != 1:
            self.faults.append(f"{self.headings.count(1)} h1")

    @property
    def text(self):
        return " ".join("".join(self.words).split())

    def handle_starttag(self, tag, attributes):
        said = dict(attributes)
        self.tags.append((tag, said))
        self._look(tag, said)
        if tag not in VOID:
            self.open.append((tag, said))

    def _look(self, tag, said):
        self.ids += [said["id"]] if "id" in said else []
        self.headings += [int(tag[1])] if re.fullmatch(r"h[1-6]", tag) else []
        for name in ("src", "href", "srcset", "action", "poster", "data"):
            where = said.get(name)
            if where is not None and not SAFE.match(where):
                self.faults.append(f"<{tag}> leads outside: {where[:60]}")
            if where and where.startswith("#"):
                self.links.append(where[1:])
        within = [each for _, each in self.open]
        wrong = {
            "a script": tag == "script" or any(name.startswith("on") for name in said),
            "an image without alternative text": tag == "img" and not said.get("alt"),
            "a header without scope": tag == "th" and "scope" not in said,
            f"<{tag}> outside a box that scrolls": tag in {"table", "img"}
            and not any(each.get("class") == "scroll" for each in within),
            "a page without lang": tag == "html" and not said.get("lang"),
        }
        self.faults += [what for what, is_so in wrong.items() if is_so]

    def handle_endtag(self, tag):
        self.words.append(" " if tag in {"td", "th"} else "")
        if not self.open or self.open[-1][0] != tag:
            self.faults.append(f"</{tag}> ends {self.open[-1][0] if self.open else 'nothing'}")
        else:
            self.open.pop()

    def handle_data(self, data):
        inside = self.open[-1][0] if self.open else ""
        if inside == "style" and CSS_URL.search(data):
            self.faults.append("the style asks for something from outside")
        if inside != "style":
            self.words.append(data)
