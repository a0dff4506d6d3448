"""What a load of the directory did, row by row, and the same for people to read."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.db.models import TextChoices
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from marketplaces.directory_merge import Values


class Outcome(TextChoices):
    """What became of one row."""

    CREATED = "created", gettext_lazy("created")
    UPDATED = "updated", gettext_lazy("updated")
    OFFERED = "offered", gettext_lazy("kept as you edited it, and the release offers a change")
    KEPT = "kept", gettext_lazy("kept as you edited it")
    DELETED = "deleted", gettext_lazy("stays deleted, as you left it")
    RETIRED = "retired", gettext_lazy("retired: the release no longer has it")
    UNCHANGED = "unchanged", gettext_lazy("unchanged")


@dataclass(frozen=True)
class Change:
    """One row: its outcome, what it `took` from the file, the `offer` that waits for a word, what it `had`."""

    marketplace: str
    kind: str
    key: str
    outcome: Outcome
    took: Values = field(default_factory=dict)
    offer: Values = field(default_factory=dict)
    had: Values = field(default_factory=dict)

    def __str__(self) -> str:
        return "\n".join(
            [
                f"{self.marketplace or '-'} {self.kind} {self.key}: {self.outcome.label}",
                *(self._line(_("%(field)s: was %(had)s, now %(new)s"), name, new) for name, new in self.took.items()),
                *(
                    self._line(_("%(field)s: you have %(had)s, the release says %(new)s"), name, new)
                    for name, new in self.offer.items()
                ),
            ]
        )

    def _line(self, sentence: str, name: str, new: object) -> str:
        had, value = (json.dumps(value, ensure_ascii=False) for value in (self.had.get(name), new))
        return "    " + sentence % {"field": name, "had": had, "new": value}


@dataclass
class Report:
    dry_run: bool
    changes: list[Change] = field(default_factory=list)

    def counts(self) -> dict[str, Counter[Outcome]]:
        """How many rows of each marketplace ("" for what all share) had each outcome."""
        counts: dict[str, Counter[Outcome]] = defaultdict(Counter)
        for change in self.changes:
            counts[change.marketplace][change.outcome] += 1
        return dict(sorted(counts.items()))

    def lines(self) -> Iterator[str]:
        """Figures for each marketplace, then every row that was neither created nor left alone."""
        for slug, counts in self.counts().items():
            figures = "; ".join(f"{outcome.label} {counts[outcome]}" for outcome in Outcome if counts[outcome])
            yield f"{slug or _('for all marketplaces')}: {figures}"
        for change in self.changes:
            if change.outcome not in (Outcome.CREATED, Outcome.UNCHANGED):
                yield f"  {change}"
        if self.dry_run:
            yield _("This was a rehearsal: nothing was written.")
