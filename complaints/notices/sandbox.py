"""The few template tags and filters that a letter of the desk's own may use, in an engine that knows nothing else.

No files but the shipped pieces of letters, no tag that loads, calls or writes, no filter that makes text grow.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.template import Engine, Library, Origin, Template, TemplateSyntaxError
from django.template import defaultfilters as filters
from django.template.base import Node
from django.template.defaulttags import ForNode, comment, do_for, do_if
from django.template.loader_tags import do_include
from django.template.loaders.filesystem import Loader

LONGEST = 20_000  # characters of a letter
DEEPEST = 2  # loops within loops: each runs over a list that outsiders made long
PIECE = re.compile(r"notices/[a-z]{2}(?:-[a-z]{2,4})?/[a-z_]{1,40}\.txt")

register = Library()
for name, tag in {"if": do_if, "for": do_for, "include": do_include, "comment": comment}.items():
    register.tag(name, tag)
FILTERS: dict[str, Callable[..., Any]] = {
    "default": filters.default,
    "join": filters.join,
    "length": filters.length,
    "slice": filters.slice_filter,
    "upper": filters.upper,
    "lower": filters.lower,
}
for name, function in FILTERS.items():
    register.filter(name, function)


class Pieces(Loader):
    """The pieces that the shipped letters are made of, and no other file."""

    def get_template_sources(self, template_name: Any) -> Iterator[Origin]:
        if PIECE.fullmatch(str(template_name)):
            yield from super().get_template_sources(template_name)


class Sandbox(Engine):
    default_builtins = [__name__]


@cache
def sandbox() -> Sandbox:
    folder = str(Path(settings.BASE_DIR) / "templates")
    return Sandbox(dirs=[folder], loaders=[(f"{__name__}.Pieces", [folder])], autoescape=False)


def compiled(source: str, *, name: str) -> Template:
    """Raises TemplateSyntaxError, in words for whoever wrote the letter."""
    if len(source) > LONGEST:
        raise TemplateSyntaxError(f"the letter has {len(source)} characters, more than {LONGEST}")
    origin = Origin("a letter of the desk's own", template_name=name)  # a path in an include is relative to it
    template = Template(source, origin=origin, engine=sandbox(), name=name)
    if depth_of(template.nodelist) > DEEPEST:
        raise TemplateSyntaxError(f"loops within loops: at most {DEEPEST} deep")
    return template


def depth_of(nodes: Any) -> int:
    return max((own_depth(node) for node in nodes), default=0)


def own_depth(node: Node) -> int:
    inside = [depth_of(getattr(node, each)) for each in ("nodelist_loop", "nodelist_empty") if hasattr(node, each)]
    inside += [depth_of(nodes) for _, nodes in getattr(node, "conditions_nodelists", ())]
    return max(inside, default=0) + isinstance(node, ForNode)
