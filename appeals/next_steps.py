"""What mails and their like say of many appeals at once, read together: the directory, and the step before each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from functools import cache

from django.utils import timezone

from appeals import chain
from appeals.escalation import Paths
from appeals.letters.sources import is_published
from appeals.models import Appeal, Event
from marketplaces.citing import Citations
from marketplaces.models import EscalationStep


class Directory:
    """What mails say of the directory, each thing read once, when it is first said."""

    def __init__(self, now: datetime) -> None:
        self.paths = Paths(timezone.localdate(now))
        self.is_listed = cache(is_published)
        self.cite = Citations()


class NextSteps:
    """What is read for many appeals at once: the step that each has before it, and the first promise of its matter."""

    def __init__(self, appeals: Iterable[Appeal], now: datetime, directory: Directory | None = None) -> None:
        known = {appeal.pk: appeal for appeal in appeals}
        self.directory = directory or Directory(now)
        self._promises = chain.first_promises(known.values())
        self._taken: dict[int, list[Event]] = defaultdict(list)
        ids = set(known)
        for event in Event.objects.standing().filter(appeal__in=ids, kind=Event.Kind.ESCALATED).select_related("step"):
            self._taken[event.appeal_id].append(event)

    def of(self, appeal: Appeal) -> EscalationStep | None:
        return self.directory.paths.next(appeal, self._taken[appeal.pk])

    def first_promise(self, appeal: Appeal, now: datetime) -> str:
        """The line on the answer that was promised first and is still owed; empty where the clocks say it."""
        promise = self._promises.get(appeal.pk)
        return promise.text(appeal, now) if promise and promise.is_owed else ""
