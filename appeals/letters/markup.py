"""The language of the letters' templates: Django's, with parts in place of markup, and nothing escaped.

A template says its parts in their order, and nothing stands outside of them:

    {% part "title" %}ПРЕТЕНЗИЯ{% endpart %}
    {% part "row" %}Дата{% cell %}Событие{% endpart %}

The kinds of a part are the styles of `appeals.documents`, and two more: `number`, an item that gets its number, and
`row`: rows that follow each other are a table, the first its header. `{% say %}` puts a template into a sentence.
What people entered is taken as it is: a bracket or a quotation mark in it is no markup.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, cast, get_args

from django.conf import settings
from django.template import Context, Engine, Library, Node, NodeList, TemplateDoesNotExist, TemplateSyntaxError
from django.template.base import Parser, Token

from appeals.documents import Block, Paragraph, Style, Table, clean
from appeals.letters import speech
from marketplaces import platform

register = Library()
register.filter(speech.sentence)
register.filter(speech.quoted)
NUMBER, ROW = "number", "row"
STYLES = (*get_args(Style), NUMBER, ROW)
SHARED = Path(settings.BASE_DIR) / "templates" / "letters"


class Part(Node):
    def __init__(self, style: str, cells: Sequence[NodeList]) -> None:
        self.style, self.cells = style, cells

    def get_nodes_by_type(self, nodetype: Any) -> list[Any]:
        """Blocks within a part are found too, so that a marketplace's own template can replace them."""
        return [node for cell in self.cells for node in cell.get_nodes_by_type(nodetype)]

    def render(self, context: Context) -> str:
        cells = [clean(cell.render(context)).strip() for cell in self.cells]
        if any(cells):
            context["parts"].append((self.style, cells))
        return ""


@register.tag
def part(parser: Parser, token: Token) -> Part:
    style = token.split_contents()[-1].strip("\"'")
    if style not in STYLES:
        raise TemplateSyntaxError(f"A part is one of {', '.join(STYLES)}; not “{style}”.")
    cells = []
    while True:
        cells.append(parser.parse(("cell", "endpart")))
        if parser.next_token().contents == "endpart":
            return Part(style, cells)


@register.simple_tag(takes_context=True)
def say(context: Context, name: str) -> str:
    """Another template in the middle of a sentence: without the line feed at its end."""
    template = context.template.engine.get_template(name)  # type: ignore[union-attr]
    return template.render(context).strip("\n")


@cache
def engine(slug: str) -> Engine:
    """Templates of a marketplace: those in the folder `letters` of its platform app, then the shared ones."""
    own = [app.letters_path for app in platform.installed() if app.slug == slug]
    return Engine(
        dirs=[str(path) for path in (*own, SHARED)],
        autoescape=False,
        builtins=["appeals.letters.markup"],
        string_if_invalid="[%s?]",
    )


def exists(slug: str, name: str) -> bool:
    try:
        engine(slug).get_template(name)
    except TemplateDoesNotExist:
        return False
    return True


def render(slug: str, name: str, values: dict[str, Any]) -> list[Block]:
    """The parts of a template as blocks. ValueError when it says something outside of its parts."""
    parts: list[tuple[str, list[str]]] = []
    stray = engine(slug).get_template(name).render(Context({**values, "parts": parts}, autoescape=False))
    if stray.strip():
        raise ValueError(f"{name} says something outside of its parts: {stray.strip()[:80]}")
    return _blocks(parts)


def _blocks(parts: Iterable[tuple[str, list[str]]]) -> list[Block]:
    blocks: list[Block] = []
    for style, group in groupby(parts, key=itemgetter(0)):
        texts = [cells for _style, cells in group]
        if style == ROW:
            blocks += [Table(texts[0], texts[1:])] if len(texts) > 1 else []
        elif style == NUMBER:
            blocks += [Paragraph(f"{number}. {text}", "item") for number, (text,) in enumerate(texts, start=1)]
        else:
            blocks += [Paragraph(text, cast("Style", style)) for (text,) in texts]
    return blocks
