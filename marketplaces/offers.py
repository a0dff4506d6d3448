"""What the releases offer and the team has not decided on, what the team deleted, and what the releases dropped."""

from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Count, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from marketplaces.directory import facts_of
from marketplaces.directory_merge import Values
from marketplaces.directory_rows import KINDS, Kind
from marketplaces.directory_store import Row, Store
from marketplaces.models import ShippedFact


@dataclass(frozen=True)
class Offer:
    """What the release says of a row and the team has otherwise; `fields` are those to decide on."""

    fact: ShippedFact
    kind: Kind
    row: Row
    mine: Values

    @property
    def fields(self) -> list[str]:
        return facts_of(self.fact.offer)

    def comes_with(self, name: str) -> Values:
        """What the release says of where its value of a field is from."""
        offer = self.fact.offer
        return {source: offer[source] for source in self.kind.sources(name) if source in offer}


@dataclass(frozen=True)
class Open:
    store: Store
    offers: list[Offer] = field(default_factory=list)
    retired: list[tuple[Kind, Row]] = field(default_factory=list)
    deleted: list[tuple[Kind, ShippedFact]] = field(default_factory=list)


def count() -> int:
    return _open().count()


def count_in_a_query() -> Coalesce:
    """The same, as a part of a query that a page asks anyway."""
    every = _open().order_by().annotate(every=Value(1)).values("every")
    return Coalesce(Subquery(every.annotate(count=Count("pk")).values("count")), 0)


def _open() -> QuerySet[ShippedFact]:
    return ShippedFact.objects.exclude(offer={})


def read(now: datetime, *, to_write: bool = False) -> Open:
    """All of it, with a number of queries that does not depend on the rows; locked for who is going `to_write`."""
    found = Open(Store(now, to_write=to_write))
    found.store.read(*KINDS)
    for kind in KINDS:
        for fact in found.store.facts:
            if fact.kind == kind.name:
                _sort(found, found.store, kind, fact)
    return found


def _sort(found: Open, store: Store, kind: Kind, fact: ShippedFact) -> None:
    row = store.row(kind, (fact.marketplace, fact.key))
    if row is None:
        found.deleted.append((kind, fact))
    elif fact.offer:
        found.offers.append(Offer(fact, kind, row, store.values(kind, row)))
    elif fact.values.get("retired") and row.retired_at:
        found.retired.append((kind, row))
