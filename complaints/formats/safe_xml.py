"""XML from strangers: what stands in it, read as it goes by, never as a tree.

The standard library's expat is enough here, as everything that makes XML dangerous is refused: a document type (the
only place where entities are declared), depth, and number of elements. A cut or broken document gives what stands
before the break.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from xml.parsers import expat

MOST_BYTES = 512 * 2**10
MOST_ELEMENTS = 20_000
MOST_DEPTH = 40
LONGEST_TEXT = 4_000
LONGEST_NAME = 40  # every element below repeats it in its path


@dataclass(slots=True)
class Element:
    """path: the names from the root on, without namespaces, in lower case, joined by "/"."""

    path: str
    attributes: dict[str, str]
    text: str = ""


@dataclass(slots=True)
class Elements:
    """In order of their beginning. problem: where reading stopped early, and why."""

    found: list[Element] = field(default_factory=list)
    problem: str | None = None

    def first(self, path: str) -> str | None:
        return next((each.text for each in self.found if each.path == path and each.text), None)

    def every(self, path: str) -> list[str]:
        return [each.text for each in self.found if each.path == path and each.text]


class Refused(Exception):
    pass


def read_elements(text: str) -> Elements:
    elements = Elements()
    open_elements: list[Element] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        if len(open_elements) >= MOST_DEPTH or len(elements.found) >= MOST_ELEMENTS:
            raise Refused("too deep or too many elements")
        above = f"{open_elements[-1].path}/" if open_elements else ""
        element = Element(above + name.rpartition(":")[2].lower()[:LONGEST_NAME], attributes)
        open_elements.append(element)
        elements.found.append(element)

    def end(_: str) -> None:
        element = open_elements.pop()
        element.text = " ".join(element.text.split())

    def characters(data: str) -> None:
        if open_elements and len(open_elements[-1].text) < LONGEST_TEXT:
            open_elements[-1].text += data[:LONGEST_TEXT]

    def doctype(*_: object) -> None:
        raise Refused("a document type is refused")

    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = characters
    parser.StartDoctypeDeclHandler = doctype
    try:
        parser.Parse(text.encode("utf-8", "replace")[:MOST_BYTES], True)
    except (expat.ExpatError, Refused) as exc:
        elements.problem = str(exc)[:200]
    return elements
