"""A letter as one file of plain text: the words stand once, the text and the HTML of the mail come from them. Pure.

Subject: one line
<blank line>
A paragraph; its lines are joined and wrapped again.

## A heading

*A paragraph that must not be missed.* It begins with its sentence in stars; good news in plus signs.

1. A step; the next ones follow line by line.

Name:: value        facts, one a line

    > MAIL FROM:<a@b.example>      lines indented by four spaces stay as they are

=> Label of the button to the customer's page

-- A line of small print at the end; the next one follows
"""

from __future__ import annotations

import dataclasses
import re
import textwrap

LINK_MARK = "@@PORTAL-LINK@@"  # the link itself is never stored; see fill_link
WIDTH = 74
MARKED = re.compile(r"([*+])([^*+]+)\1\s*(.*)")
MARKS = {"*": "strong", "+": "good"}
STEP = re.compile(r"\d+\.\s+(.*)")
SPACE = re.compile(r"[^\S\u00a0\u202f]+")  # but those that French typography needs


class BadLetter(Exception):
    """A letter's file does not keep the form above."""


@dataclasses.dataclass(frozen=True, slots=True)
class Block:
    """kind: text, heading, strong, good, steps, facts, lines, button, small. Strong and good: the sentence in items."""

    kind: str
    text: str = ""
    items: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Letter:
    subject: str
    blocks: tuple[Block, ...]


def read_letter(source: str) -> Letter:
    """Raises BadLetter when the first line is no subject."""
    head, _, body = source.strip().partition("\n")
    if not head.startswith("Subject: "):
        raise BadLetter(f"a letter begins with 'Subject: ', this one with {head[:60]!r}")
    paragraphs = re.split(r"\n[ \t]*\n", body.strip("\n"))
    return Letter(one_line(head.removeprefix("Subject: ")), tuple(read_block(p) for p in paragraphs if p.strip()))


def read_block(paragraph: str) -> Block:
    lines = [line.rstrip() for line in paragraph.splitlines() if line.strip()]
    first = lines[0]
    if all(line.startswith("    ") for line in lines):
        return Block("lines", items=tuple(line[4:] for line in lines))
    if first.startswith("## "):
        return Block("heading", one_line(first[3:]))
    if first.startswith("=> "):
        return Block("button", one_line(first[3:]))
    if all(line.startswith("-- ") for line in lines):
        return Block("small", items=tuple(one_line(line[3:]) for line in lines))
    if all(":: " in line for line in lines):
        return Block("facts", facts=tuple(fact(line) for line in lines))
    if STEP.match(first):
        return Block("steps", items=tuple(read_steps(lines)))
    text = one_line(" ".join(lines))
    if found := MARKED.fullmatch(text):
        return Block(MARKS[found[1]], found[3], items=(found[2],))
    return Block("text", text)


def read_steps(lines: list[str]) -> list[str]:
    steps: list[str] = []
    for line in lines:
        if found := STEP.match(line):
            steps.append(found[1])
        else:
            steps[-1] += " " + line.strip()
    return [one_line(step) for step in steps]


def fact(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":: ")
    return name.strip(" \t"), value.strip(" \t")


def as_text(letter: Letter) -> str:
    return "\n\n".join(TEXT[block.kind](block) for block in letter.blocks) + "\n"


def wrapped(text: str, indent: str = "", first: str | None = None) -> str:
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=indent if first is None else first,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def steps_as_text(block: Block) -> str:
    return "\n".join(wrapped(step, "   ", f"{number}. ") for number, step in enumerate(block.items, 1))


def facts_as_text(block: Block) -> str:
    width = max(len(name) for name, _ in block.facts) + 3
    return "\n".join(wrapped(value, " " * width, f"{name}:".ljust(width)) for name, value in block.facts)


TEXT = {
    "text": lambda block: wrapped(block.text),
    "heading": lambda block: f"{block.text}\n{'-' * len(block.text)}",
    "strong": lambda block: wrapped(f"*{block.items[0]}* {block.text}".strip()),
    "good": lambda block: wrapped(f"{block.items[0]} {block.text}".strip()),
    "steps": steps_as_text,
    "facts": facts_as_text,
    "lines": lambda block: "\n".join("    " + line for line in block.items),
    "button": lambda block: f"{block.text}\n{LINK_MARK}",
    "small": lambda block: "\n".join(block.items),  # not below "-- ": mail programs hide that, and the annex follows
}


def fill_link(text: str, url: str) -> str:
    """The letter with the customer's link in it: for sending, and for an analyst who opens the sent mail."""
    return text.replace(LINK_MARK, url)


def one_line(text: str) -> str:
    """Also what keeps a hostile name from becoming a heading or a header of its own. No-break spaces stay."""
    return SPACE.sub(" ", text).strip()
