"""The rows of the directory and the record of what was shipped for them, read and written many at a time."""

from collections import defaultdict
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db.models import F, QuerySet, Value

from marketplaces import history
from marketplaces.directory_merge import Values
from marketplaces.directory_rows import MARKETPLACE, TOPIC, Kind, Name, Names, read, write
from marketplaces.history import Action
from marketplaces.models import DirectoryChange, Marketplace, ShippedFact

if TYPE_CHECKING:
    from hub.models import User

Row = Any  # a row of any of the KINDS
Ids = dict[int, list[int]]


class Store:
    """One load's view of the database. Rows are locked until the transaction ends, and written by `flush`, with a line
    of history each: `action`, by `actor`. Without `to_write` they are only looked at.

    The number of queries depends on the kinds, not on the rows. Kinds must be read in the order of KINDS: the names of
    earlier rows are needed to read the references of later ones.
    """

    def __init__(
        self,
        now: datetime,
        *,
        action: Action = Action.LOADED,
        actor: "User | None" = None,
        to_write: bool = True,
    ) -> None:
        self._now, self._action, self._actor, self._to_write = now, action, actor, to_write
        self._names = Names()
        self._rows: dict[tuple[Kind, Name], Row] = {}
        self._own_topics: dict[str, Row] = {}
        self._many: dict[tuple[Kind, str], Ids] = {}
        self._places: dict[int, Marketplace] = {}
        self.facts = list(self._locked(ShippedFact.objects.order_by("marketplace", "key")))
        self._facts = {(fact.kind, fact.marketplace, fact.key): fact for fact in self.facts}
        self._created: dict[Name, Values] = {}
        self._updated: dict[int, tuple[Row, Values]] = {}
        self._changed: list[ShippedFact] = []
        self._history: list[DirectoryChange] = []

    def read(self, *kinds: Kind) -> None:
        """Reads, locks and names the rows of these kinds."""
        self._many |= self._targets([(kind, column) for kind in kinds for column in kind.many])
        for kind in kinds:
            for row in self._locked(kind.model._default_manager.all()):
                self._add(kind, row)

    def row(self, kind: Kind, name: Name) -> Row | None:
        """The row that a file means by `name`. A topic that the team entered first answers to its slug."""
        return self._rows.get((kind, name)) or (self._own_topics.get(name[1]) if kind is TOPIC else None)

    def fact(self, kind: Kind, name: Name) -> ShippedFact | None:
        return self._facts.get((kind.name, *name))

    def rows(self, kind: Kind, slug: str) -> list[Row]:
        """All rows of a marketplace ("" for what all share)."""
        return [row for (other, name), row in self._rows.items() if other is kind and name[0] == slug]

    def shipped_before(self, kind: Kind) -> list[Name]:
        return [(slug, key) for name, slug, key in self._facts if name == kind.name]

    def values(self, kind: Kind, row: Row) -> Values:
        many = {column: self._many[kind, column].get(row.pk, []) for column in kind.many}
        return read(kind, row, many, self._names)

    def stands(self, kind: Kind, name: Name, values: Values) -> bool:
        """Whether all that a new row would refer to is there."""
        if name[0] and kind is not MARKETPLACE and self._names.marketplace_id(name[0]) is None:
            return False
        references = ((target, values[column]) for column, target in kind.references if values[column])
        return all(self._names.pk(target, name[0], key) for target, key in references)

    def adopt(self, kind: Kind, row: Row, name: Name) -> None:
        """From now on the row is the one that the file names so."""
        setattr(row, kind.key, name[1])
        self._add(kind, row)
        self.update(row, {})

    def create(self, name: Name, values: Values) -> None:
        self._created[name] = values

    def update(self, row: Row, values: Values) -> None:
        self._updated[row.pk] = (row, {**self._updated.get(row.pk, (row, {}))[1], **values})

    def flush(self, kind: Kind) -> None:
        """Writes what was created and updated: rows first, then what refers to them."""
        new = [(self._new(kind, name, values), values) for name, values in self._created.items()]
        kind.model._default_manager.bulk_create(row for row, _values in new)
        for row, _values in new:
            self._add(kind, row)
            self.tell(kind, row, {})
        for row, values in self._updated.values():
            before = self.values(kind, row)
            self.tell(kind, row, history.difference({name: before[name] for name in values}, values))
            self._apply(kind, row, values)
            if kind.is_directory_row:
                row.version, row.updated_at = row.version + 1, self._now
        referring = [(row, values) for row, values in new if any(values[column] for column in kind.own)]
        for row, values in referring:  # to a row of its own kind, which may be as new
            self._apply(kind, row, {column: values[column] for column in kind.own})
        changed = [row for row, _values in (*self._updated.values(), *referring)]
        kind.model._default_manager.bulk_update(changed, self._fields(kind))
        for column in kind.many:
            written = [(row, values[column]) for row, values in (*self._updated.values(), *new) if column in values]
            self._link(kind, column, written)
        self._created, self._updated = {}, {}

    def record(self, kind: Kind, name: Name, values: Values, offer: Values) -> None:
        """Remembers what was shipped for a row, for the next load."""
        fact = self.fact(kind, name) or ShippedFact(marketplace=name[0], kind=kind.name, key=name[1])
        if fact.pk is None or (fact.values, fact.offer) != (values, offer):
            fact.values, fact.offer = values, offer
            self._changed.append(fact)

    def save(self) -> None:
        """Writes what was recorded of the releases, and the history."""
        ShippedFact.objects.bulk_create([fact for fact in self._changed if fact.pk is None])
        ShippedFact.objects.bulk_update([fact for fact in self._changed if fact.pk is not None], ["values", "offer"])
        history.write(self._history)

    def _locked(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.select_for_update(of=("self",)) if self._to_write else rows

    def _add(self, kind: Kind, row: Row) -> None:
        if kind is MARKETPLACE:
            self._places[row.pk] = row
        elif place := self._places.get(getattr(row, "marketplace_id", None) or 0):
            row.marketplace = place
        self._names.add(kind, row)
        self._rows[kind, (self._names.slug(kind, row), getattr(row, kind.key) or f"#{row.pk}")] = row
        if kind is TOPIC and not row.key:
            self._own_topics[row.slug] = row

    def tell(self, kind: Kind, row: Row, changes: history.Changes) -> None:
        """One line of history, written by `save`."""
        place = self._names.slug(kind, row)
        self._history.append(
            history.line(
                row=row, marketplace=place, action=self._action, now=self._now, actor=self._actor, changes=changes
            )
        )

    def _new(self, kind: Kind, name: Name, values: Values) -> Row:
        row: Row = kind.model(**{kind.key: name[1]})
        if name[0] and kind is not MARKETPLACE:
            row.marketplace_id = self._names.marketplace_id(name[0])
        self._apply(kind, row, values)
        return row

    def _apply(self, kind: Kind, row: Row, values: Values) -> None:
        write(kind, row, values, self._names)
        if "retired" in values:
            row.retired_at = self._now if values["retired"] else None

    def _fields(self, kind: Kind) -> list[str]:
        columns = dict.fromkeys(column.split(".")[0] for column in kind.plain)
        retired = ["retired_at"] if kind.retires else []
        return [*columns, *retired, *(["key", "version", "updated_at"] if kind.is_directory_row else [])]

    def _targets(self, columns: list[tuple[Kind, str]]) -> dict[tuple[Kind, str], Ids]:
        """What the many-to-many columns lead to, in one query."""
        found: dict[tuple[Kind, str], Ids] = {column: defaultdict(list) for column in columns}
        links = []
        for number, (kind, column) in enumerate(columns):
            through, ours, theirs = kind.link(column)
            links.append(through.objects.order_by().values_list(Value(number), F(ours), F(theirs)))
        for number, pk, target in links[0].union(*links[1:], all=True) if links else []:
            found[columns[number]][pk].append(target)
        return found

    def _link(self, kind: Kind, column: str, wanted: list[tuple[Row, list[str]]]) -> None:
        """Sets a many-to-many column of several rows. What the team deleted cannot be linked."""
        through, ours, theirs = kind.link(column)
        target = kind.field(column).related_model
        pairs = [
            (row.pk, self._names.pk(target, self._names.slug(kind, row), key)) for row, keys in wanted for key in keys
        ]
        if wanted:
            through.objects.filter(**{f"{ours}__in": [row.pk for row, _keys in wanted]}).delete()
            through.objects.bulk_create(through(**{ours: pk, theirs: other}) for pk, other in pairs if other)
