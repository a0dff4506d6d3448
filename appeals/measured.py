"""How long the marketplaces really took."""

from collections import defaultdict
from datetime import timedelta
from statistics import median

from django.db.models import Min, Q, QuerySet

from appeals.models import Appeal, Event
from marketplaces.contact import Measured
from marketplaces.models import Marketplace

# The latest are enough to go by, and keep the answer quick whatever lies in the table
LATEST = 500
REPLY = Q(events__kind=Event.Kind.REPLY, events__undone_by=None) & ~Q(
    events__reply_kind=Event.ReplyKind.ACKNOWLEDGEMENT
)


def first_replies(marketplace: Marketplace, appeals: QuerySet[Appeal]) -> dict[int, Measured]:
    """By channel, in one query, of the LATEST of `appeals` that were sent to this marketplace.

    What counts is the first reply that was no acknowledgement.
    """
    sent = appeals.filter(shop__marketplace=marketplace, channel__isnull=False, submitted_at__isnull=False)
    latest = sent.order_by("-submitted_at").values("pk")[:LATEST]
    replied = Appeal.objects.filter(pk__in=latest).annotate(replied_at=Min("events__at", filter=REPLY))
    waits: dict[int, list[float]] = defaultdict(list)
    for channel, sent_at, at in replied.exclude(replied_at=None).values_list("channel", "submitted_at", "replied_at"):
        waits[channel].append((at - sent_at).total_seconds())
    return {channel: Measured(timedelta(seconds=median(found)), len(found)) for channel, found in waits.items()}
