"""What must hold in a `directory.toml` beyond the types of its values.

Each check yields findings: the place of the value and what is wrong with it, in the language that is active.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import combinations
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from django.utils.translation import gettext as _

from marketplaces.calendars import UnknownCountryError, production_calendar
from marketplaces.directory_schema import (
    ChannelFact,
    MarketplaceFact,
    PlatformFile,
    RuleFact,
    SharedFile,
    Sourced,
    SourceFact,
    StepFact,
    StepUse,
    Table,
    TargetFact,
)
from marketplaces.opening_hours import OpeningHoursError, check_expression
from marketplaces.toml_lines import Place
from marketplaces.validators import MAIL

Finding = tuple[Place, str]
Sources = dict[str, SourceFact]

PHONE = re.compile(r"[+0-9][0-9 ()-]{5,}")
SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")


def check_shared(content: SharedFile) -> Iterator[Finding]:
    yield from _sources(content.sources, {})
    yield from _rows("topics", content.topics, content.sources, set(), set())
    yield from _path("legal_steps", content.legal_steps, [], content.sources, set())


def check_platform(content: PlatformFile, shared: SharedFile) -> Iterator[Finding]:
    sources = shared.sources | content.sources
    topics = {topic.slug for topic in [*shared.topics, *content.topics]}
    channels = {channel.key for channel in content.channels}
    yield from _sources(content.sources, shared.sources)
    yield from _marketplace(content.marketplace, sources)
    for section, rows in (
        ("topics", content.topics),
        ("channels", content.channels),
        ("response_targets", content.response_targets),
        ("rules", content.rules),
    ):
        yield from _rows(section, rows, sources, topics, channels)
    yield from _topic_slugs(content)
    yield from _ties(content.response_targets)
    yield from _path("escalation_steps", content.escalation_steps, shared.legal_steps, sources, channels)


def claims(content: PlatformFile) -> dict[tuple[str, str], Place]:
    """The names that no other platform's file may define, and where this one does."""
    return {
        ("marketplace", content.marketplace.slug): ("marketplace", "slug"),
        **{("source", key): ("sources", key) for key in content.sources},
        **{("topic", topic.slug): ("topics", index, "slug") for index, topic in enumerate(content.topics)},
    }


def check_not_taken(content: PlatformFile, taken: dict[tuple[str, str], str]) -> Iterator[Finding]:
    """`taken`: the names that other platforms' files claim, with the path of the file."""
    for name, place in claims(content).items():
        if name in taken:
            words = {"name": name[1], "file": taken[name]}
            yield place, _("“%(name)s” is defined in %(file)s too. Rename it, or move it to the shared file.") % words


def _rows(
    section: str, rows: Sequence[Sourced], sources: Sources, topics: set[str], channels: set[str]
) -> Iterator[Finding]:
    seen: set[str] = set()
    for index, row in enumerate(rows):
        for field, message in _row(row, sources, topics, channels):
            yield (section, index, field), message
        name: str = getattr(row, "key", "") or getattr(row, "slug", "")
        if name in seen:
            yield (section, index), _("“%(name)s” stands here twice. Rename one.") % {"name": name}
        seen.add(name)


def _row(row: Sourced, sources: Sources, topics: set[str], channels: set[str]) -> Iterator[tuple[str, str]]:
    yield from _provenance(row, sources)
    yield from _languages(row)
    if isinstance(row, ChannelFact | RuleFact | StepFact) and row.state != "working" and not row.state_reason:
        yield "state_reason", _("A state other than “working” needs a reason. Add state_reason and state_reason_en.")
    if isinstance(row, RuleFact | StepFact) and (row.term_amount is None) != (row.term_unit == ""):
        yield "term_amount", _("A term has an amount and a unit, or neither. Add the missing one.")
    if isinstance(row, TargetFact | RuleFact) and row.topic:
        yield from _known("topic", [row.topic], topics)
    if isinstance(row, TargetFact | StepFact) and row.channel:
        yield from _known("channel", [row.channel], channels)
    if isinstance(row, ChannelFact):
        yield from _channel(row)
        yield from _known("topics", row.topics, topics)
        yield from _known("contradicts", [row.contradicts] if row.contradicts else [], channels - {row.key})


def _provenance(row: Sourced, sources: Sources) -> Iterator[tuple[str, str]]:
    unknown = [key for key in row.source_keys if key not in sources]
    if unknown:
        yield "source", _("No source “%(key)s” is defined. Add [sources.%(key)s].") % {"key": unknown[0]}
    elif row.source_grade not in {sources[key].grade for key in row.source_keys}:
        words = {"grade": row.source_grade, "sources": row.source}
        yield "source_grade", _("None of the sources %(sources)s has grade %(grade)s. Take the grade of one.") % words


def _languages(row: Table) -> Iterator[tuple[str, str]]:
    for english in type(row).model_fields:
        if not english.endswith("_en"):
            continue
        russian = english.removesuffix("_en")
        ours, theirs = getattr(row, russian), getattr(row, english)
        if bool(ours) != bool(theirs):
            yield (english if ours else russian), _("The text stands in one language only. Write it in both.")
        elif isinstance(ours, list) and len(ours) != len(theirs):
            yield english, _("The two languages list a different number of texts. List them alike.")


def _known(field: str, names: list[str], known: set[str]) -> Iterator[tuple[str, str]]:
    for name in names:
        if name not in known:
            words = {"name": name, "known": ", ".join(sorted(known)) or "-"}
            yield field, _("“%(name)s” is defined nowhere. Define it, or take one of: %(known)s.") % words


def _channel(channel: ChannelFact) -> Iterator[tuple[str, str]]:
    if channel.opening_hours:
        try:
            check_expression(channel.opening_hours)
        except OpeningHoursError as error:
            yield "opening_hours", str(error)
    if channel.time_zone:
        yield from _zone(channel.time_zone)
    if channel.needs_login and channel.works_without_account:
        yield "works_without_account", _("A channel that needs the account cannot work without it. Set one to false.")
    if channel.state == "working" and not channel.address:
        yield "address", _("A working channel needs an address. Write it, or give another state and its reason.")
    typical, worst = channel.first_reply_typical_minutes, channel.first_reply_worst_minutes
    if typical and worst and typical > worst:
        yield "first_reply_worst_minutes", _("The slowest first reply is quicker than the usual one. Swap them.")
    if not _address_fits(channel):
        yield "address", _("This is no address of such a channel. Write a mail, a number, https://… or a path.")


def _address_fits(channel: ChannelFact) -> bool:
    address = channel.address
    if not address:
        return True
    if channel.kind == "email":
        return bool(MAIL.fullmatch(address))
    if channel.kind == "phone":
        return bool(PHONE.fullmatch(address))
    if address.startswith("mailto:"):
        return bool(MAIL.fullmatch(address.removeprefix("mailto:")))
    return is_web_address(address) if SCHEME.match(address) or "://" in address else True


def is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and "." in (parts.hostname or "") and not re.search(r"\s", text)


def _zone(name: str) -> Iterator[tuple[str, str]]:
    if name not in available_timezones():
        yield "time_zone", _("“%(zone)s” is no time zone. An example: Europe/Moscow.") % {"zone": name}


def _sources(sources: Sources, shared: Sources) -> Iterator[Finding]:
    for key, source in sources.items():
        if key in shared:
            yield ("sources", key), _("The shared file defines this source already. Take it out here.")
        if source.url and not is_web_address(source.url):
            yield ("sources", key, "url"), _("This is no web address. Write https://… or take the key out.")


def _marketplace(marketplace: MarketplaceFact, sources: Sources) -> Iterator[Finding]:
    for field, message in (*_languages(marketplace), *_marketplace_values(marketplace)):
        yield ("marketplace", field), message
    given = {field for field in marketplace.FACTS if getattr(marketplace, field)}
    for field in sorted(given - set(marketplace.provenance)):
        words = {"field": field}
        yield ("marketplace", field), _("It has no source. Add [marketplace.provenance.%(field)s].") % words
    for field, provenance in marketplace.provenance.items():
        place = ("marketplace", "provenance", field)
        if field not in given:
            yield place, _("The marketplace has no such fact. Take the table out, or give the fact.")
        for name, message in (*_provenance(provenance, sources), *_languages(provenance)):
            yield (*place, name), message


def _marketplace_values(marketplace: MarketplaceFact) -> Iterator[tuple[str, str]]:
    yield from _zone(marketplace.time_zone)
    try:
        production_calendar(marketplace.country)
    except UnknownCountryError as error:
        yield "country", str(error)
    if marketplace.seller_portal and not is_web_address(marketplace.seller_portal):
        yield "seller_portal", _("This is no web address. Write https://… or take the key out.")
    try:
        pattern = re.compile(marketplace.ticket_number_pattern)
    except re.error as error:
        words = {"position": (error.pos or 0) + 1}
        yield "ticket_number_pattern", _("It cannot be read at position %(position)s.") % words
    else:
        if not pattern.fullmatch(marketplace.ticket_number_example):
            yield "ticket_number_example", _("The example does not fit the pattern. Mend one of them.")


def _topic_slugs(content: PlatformFile) -> Iterator[Finding]:
    prefix = content.marketplace.slug.replace("_", "-") + "-"
    for index, topic in enumerate(content.topics):
        if not topic.slug.startswith(prefix):
            message = _("A topic of one marketplace begins with “%(prefix)s”. Rename it.") % {"prefix": prefix}
            yield ("topics", index, "slug"), message


def _ties(targets: list[TargetFact]) -> Iterator[Finding]:
    """Two targets of one kind that could both fit an appeal, equally specific, with no third to decide."""
    for (_i, first), (index, second) in combinations(enumerate(targets), 2):
        if first.kind == second.kind and _tie(first, second, targets):
            message = _("“%(one)s” and “%(other)s” could both fit one appeal. Add a target that names what both name.")
            yield ("response_targets", index), message % {"one": first.key, "other": second.key}


def _tie(first: TargetFact, second: TargetFact, targets: list[TargetFact]) -> bool:
    if len(first.named) != len(second.named):
        return False
    union = first.named | second.named
    if any(union[name] != value for name, value in first.named.items()):
        return False
    deciding = (third for third in targets if third.kind == first.kind and len(third.named) > len(first.named))
    return not any(third.named.items() <= union.items() for third in deciding)


def _path(
    section: str, steps: Sequence[StepFact | StepUse], legal: list[StepFact], sources: Sources, channels: set[str]
) -> Iterator[Finding]:
    """The steps in their order; a step may require only steps that stand before it."""
    shared = {step.key: step for step in legal}
    before: set[str] = set()
    for index, entry in enumerate(steps):
        if isinstance(entry, StepUse) and entry.use not in shared:
            yield from (((section, index, field), text) for field, text in _known("use", [entry.use], set(shared)))
            continue
        step = entry.applied_to(shared[entry.use]) if isinstance(entry, StepUse) else entry
        for field, message in _row(step, sources, set(), channels):
            yield (section, index, field), message
        for name in step.requires:
            if name not in before:
                yield (section, index, "requires"), _("No step “%(name)s” stands before this one.") % {"name": name}
        if step.key in before:
            yield (section, index), _("“%(name)s” stands here twice. Rename one.") % {"name": step.key}
        before.add(step.key)
