"""Where a fact is known from, who checked it and when, what contradicts it, and what nobody has checked for long."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.contrib.filters.admin import RadioFilter
from unfold.decorators import display

from marketplaces import facts_text, staleness
from marketplaces.citing import own_words
from marketplaces.models import Channel, Grade, Marketplace, Source
from marketplaces.models.directory_row import DirectoryRow
from marketplaces.published import published_text

PROVENANCE = (
    gettext_lazy("Where this is known from"),
    {
        "fields": [
            *("source", "source_grade", "shown_sources"),
            ("verified_on", "shown_check"),
            *("key", "updated_at", "retired_at", "opened"),
        ]
    },
)
# What a row that is being added cannot have yet
LATER = {"shown_sources", "shown_check", "shown_provenance", "key", "updated_at", "retired_at", "opened"}
_LINK = '<a href="{}" class="text-primary-600" target="_blank" rel="noopener noreferrer">{}</a>'


class StaleFilter(RadioFilter):
    """What nobody has compared with its source for long."""

    title = gettext_lazy("checking")
    parameter_name = "checked"
    all_option = ["", gettext_lazy("all of them")]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("stale", gettext_lazy("not checked for long"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() != "stale":
            return queryset
        return queryset.filter(retired_at=None, verified_on__lt=staleness.limit(timezone.localdate()))


class Provenance:
    """The columns and fields that say where a row is known from."""

    @display(description=gettext_lazy("checked"), ordering="verified_on")
    def checked(self, obj: DirectoryRow) -> SafeString | str:
        return checked_text(obj)

    @display(description=gettext_lazy("sources"))
    def shown_sources(self, obj: DirectoryRow) -> SafeString | str:
        return once(obj, own_sources) or facts_text.NOTHING

    @display(description=gettext_lazy("how it was checked"))
    def shown_check(self, obj: DirectoryRow) -> SafeString | str:
        if obj.pk is None:
            return facts_text.NOTHING
        said = check_text(obj.verified_on, str(obj.verified_by) if obj.verified_by else "")
        return format_html('<span class="hub-two"><span>{}</span>{}</span>', said, stale_mark(obj))


def once(row: Any, say: Callable[[Any], SafeString | str]) -> SafeString | str:
    """The theme asks for the text of a field several times; what needs the database is asked once."""
    said: dict[str, SafeString | str] = row.__dict__.setdefault("_said", {})
    if say.__qualname__ not in said:
        said[say.__qualname__] = say(row)
    return said[say.__qualname__]


def checked_text(row: DirectoryRow | Marketplace) -> SafeString | str:
    """The day of the last check, and how long ago that was if it was long ago."""
    if row.checked_on is None:
        return facts_text.NOTHING
    day = date_format(row.checked_on, "SHORT_DATE_FORMAT")
    return format_html('<span class="hub-two"><span>{}</span>{}</span>', day, stale_mark(row))


def stale_mark(row: DirectoryRow | Marketplace) -> SafeString | str:
    today = timezone.localdate()
    if row.checked_on is None or not staleness.is_stale(row, today):
        return ""
    days = (today - row.checked_on).days
    text = ngettext("not checked for %(count)d day", "not checked for %(count)d days", days) % {"count": days}
    return format_html('<small class="hub-late">{}</small>', text)


def check_text(day: date, person: str) -> str:
    """ "compared with the source on 22.11.2026", or who checked it on that day."""
    words = {"day": date_format(day, "SHORT_DATE_FORMAT"), "person": person}
    if person:
        return _("checked by %(person)s on %(day)s") % words
    return _("compared with the source on %(day)s") % words


def own_sources(row: DirectoryRow) -> SafeString:
    return sources_text(row.source, opens=opens_sources(row))


def opens_sources(row: Any) -> bool:
    """Whether the reader, for whom the row was read, may open the pages of the sources."""
    return bool(row.__dict__.get("_opens_sources"))


def sources_text(source: str, known: dict[str, Source] | None = None, *, opens: bool = False) -> SafeString:
    """Each source key with its title, link and grade; what is no key stands as it was written."""
    keys = [key.strip() for key in source.split(",") if key.strip()]
    if known is None:
        known = {row.key: row for row in Source.objects.filter(key__in=keys)}
    return format_html_join("", "<p>{}</p>", ((_source(key, known.get(key), opens),) for key in keys))


def _source(key: str, row: Source | None, opens: bool) -> SafeString | str:
    if row is None:
        return own_words(key)
    title = linked(row.url, row.text("title")) if row.url else row.text("title")
    known = "; ".join(filter(None, [published_text(row.published), grade_text(row.grade)]))
    said = _link(row, key) if opens else key
    return format_html('{}: {} <span class="hub-quiet">({})</span>', said, title, known)


def linked(url: str, text: str) -> SafeString:
    return format_html(_LINK, url, text)


def site_link(url: str) -> SafeString | None:
    """The name of the site alone, as addresses are long: the link goes to the very page."""
    return linked(url, urlsplit(url).netloc) if url else None


def grade_text(grade: str) -> str:
    return str(Grade(grade).label) if grade in Grade.values else grade


def facts_of_marketplace(place: Marketplace) -> SafeString | str:
    """Where each fact of a marketplace is known from."""
    keys = {key.strip() for fact in place.provenance.values() for key in fact.get("source", "").split(",")}
    known = {row.key: row for row in Source.objects.filter(key__in=keys)}
    rows = (
        (
            capfirst(str(Marketplace._meta.get_field(name).verbose_name)),  # type: ignore[union-attr]
            sources_text(fact.get("source", ""), known, opens=opens_sources(place)),
            check_text(date.fromisoformat(fact["verified_on"]), fact.get("verified_by", "")),
        )
        for name, fact in place.provenance.items()
    )
    table = format_html_join("", '<dt>{}</dt><dd>{}<small class="hub-quiet">{}</small></dd>', rows)
    return format_html('<dl class="hub-dl">{}</dl>', table) if place.provenance else facts_text.NOTHING


def contradictions(channel: Channel) -> SafeString | str:
    """The channels that sources give for the same thing, side by side: which one is believed, and who says what."""
    believed = channel.contradicts or channel
    rivals = list(believed.contradicted_by.filter(retired_at=None)) if believed.pk else []
    if not rivals:
        return facts_text.NOTHING
    return format_html('<div class="hub-rivals">{}</div>', _side_by_side([believed, *rivals], believed, channel))


def _side_by_side(channels: Iterable[Channel], believed: Channel, shown: Channel) -> SafeString:
    return format_html_join(
        "",
        '<div class="hub-card{}"><p><b>{}</b></p><p>{}</p><p>{}</p><p>{}</p><p class="hub-quiet">{}</p></div>',
        (
            (
                " hub-believed" if channel == believed else "",
                _("This one is believed") if channel == believed else _("This one is not believed"),
                channel.text("name") if channel == shown else _link(channel, channel.text("name")),
                channel.address or facts_text.NOTHING,
                sources_text(channel.source, opens=opens_sources(shown)),
                check_text(channel.verified_on, str(channel.verified_by) if channel.verified_by else ""),
            )
            for channel in channels
        ),
    )


def _link(row: Channel | Source, text: str) -> SafeString:
    address = reverse(f"admin:marketplaces_{row._meta.model_name}_change", args=[row.pk])
    return format_html('<a href="{}" class="text-primary-600">{}</a>', address, text)
