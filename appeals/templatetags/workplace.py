"""What the templates of the workplace need to say texts and money."""

from __future__ import annotations

import json
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from django import template
from django.contrib.admin.models import LogEntry
from django.http import HttpRequest
from django.template import Context
from django.utils import timezone
from django.utils.html import json_script
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from appeals import reminders, wording
from appeals.recipients import unreached
from marketplaces.amounts import roubles
from marketplaces.models.directory_row import Bilingual

if TYPE_CHECKING:
    from hub.models import User

register = template.Library()
register.filter(roubles)


@register.simple_tag
def text(row: Bilingual, field: str) -> str:
    """A text of the directory in the reader's language."""
    return row.text(field)


def _last_sweep(request: HttpRequest) -> datetime | None:
    """Read once for a page, for both that speak of it."""
    if not hasattr(request, "hub_last_sweep"):
        request.hub_last_sweep = reminders.last_sweep_at()  # type: ignore[attr-defined]
    last: datetime | None = request.hub_last_sweep  # type: ignore[attr-defined]
    return last


@register.inclusion_tag("admin/stand.html", takes_context=True)
def reminders_stand(context: Context) -> dict[str, str]:
    """A red line for everybody while nobody looks for late deadlines."""
    now = timezone.now()
    since = reminders.stand_since(now, partial(_last_sweep, context["request"]))
    return {"since": wording.near(since, now) if since else ""}


@register.inclusion_tag("admin/refused.html")
def refused_addresses(user: User) -> dict[str, object]:
    """For those who lead: whom mail does not reach."""
    return {"refused": unreached(user)}


@register.simple_tag(takes_context=True)
def last_sweep(context: Context) -> str:
    """How long ago somebody looked for late deadlines."""
    last, now = _last_sweep(context["request"]), timezone.now()
    if last is None:
        return _("The hub has not looked for late deadlines yet.")
    return _("The hub looked for late deadlines %(span)s ago.") % {"span": wording.span(now - last)}


@register.simple_tag
def zone() -> str:
    """The zone of the reader now: "UTC+3"."""
    return wording.zone(timezone.now())


def _field_said(kept: str) -> str:
    """Django keeps the label of a field, with a capital that the texts of ours begin without."""
    said = _(kept)
    return said if said != kept else capfirst(_(kept[:1].lower() + kept[1:]))


@register.filter
def change_said(entry: LogEntry) -> str:
    """What a line of Django's history tells, with the fields in the reader's language."""
    try:
        acts = json.loads(entry.change_message)
    except ValueError:
        return entry.get_change_message()
    for act in acts:
        if fields := act.get("changed", {}).get("fields"):
            act["changed"]["fields"] = [_field_said(str(field)) for field in fields]
    return LogEntry(change_message=json.dumps(acts)).get_change_message()


@register.filter
def begin(title: object) -> str:
    """With a capital, unless it is an address of mail."""
    text = str(title)
    return text if "@" in text.partition(" ")[0] else capfirst(text)


@register.simple_tag(takes_context=True)
def act(context: Context, parts: list[dict[str, object]]) -> str:
    """What is done on a page that is headed by the name of a thing or a list; nothing where it is shown or edited."""
    match = context["request"].resolver_match
    if match is None or not parts or "link" not in parts[-1]:
        return ""
    said = {
        "add": pgettext("page", "New"),
        "history": pgettext("page", "History"),
        "delete": pgettext("page", "Deletion"),
        "import": _("Import a table"),
        "export": _("Export the table"),
    }
    return said.get((match.url_name or "").rpartition("_")[2], "")


@register.simple_tag
def words() -> SafeString:
    """What the scripts of the workplace say, in the reader's language."""
    said = {
        "menu": _("Menu"),
        "close": _("Close the menu"),
        "parts": _("Parts of the hub"),
        "related": _("The chosen row: open, add"),
        "account": _("My account"),
        "remove": _("Remove"),
        "scrolls": _("Contents that scroll"),
        "clear": _("Clear the field"),
        "restored": _("What you typed on %(moment)s is back."),
        "files_again": _("Choose the files again."),
        "discard": _("Discard"),
        "recognised": _("Recognised: %(count)s"),
        "found": _("Numbers found in the text:"),
        "found_codes": _("Product codes found in the text:"),
        "add": _("Add"),
        "attached": _("Files: %(names)s"),
        "left": _("%(minutes)s min left"),
    }
    return json_script(said, "hub-words")
