"""How long the marketplaces really took."""

from collections import defaultdict
from datetime import timedelta
from statistics import median

from django.db.models import Min, Q, QuerySet

from appeals.models import Appeal, Event, Shop
from marketplaces.contact import Measured
from marketplaces.models import Marketplace

# The latest are enough to go by, and keep the answer quick whatever lies in the table
LATEST = 500
REPLY = Q(kind=Event.Kind.REPLY, undone_by=None) & ~Q(reply_kind=Event.ReplyKind.ACKNOWLEDGEMENT)


def first_replies(marketplace: Marketplace, appeals: QuerySet[Appeal]) -> dict[int, Measured]:
    """By channel, of the LATEST of `appeals` that were sent to this marketplace.

    What counts is the first reply that was no acknowledgement.
    """
    shops = list(Shop.objects.filter(marketplace=marketplace).values_list("pk", flat=True))
    sent = appeals.filter(shop__in=shops, channel__isnull=False, submitted_at__isnull=False)
    latest = sent.order_by("-submitted_at").values("pk")[:LATEST]
    replied = Event.objects.filter(REPLY, appeal__in=latest).order_by()
    times = replied.values_list("appeal__channel", "appeal__submitted_at", "appeal").annotate(replied_at=Min("at"))
    waits: dict[int, list[float]] = defaultdict(list)
    for channel, sent_at, _appeal, at in times:
        waits[channel].append((at - sent_at).total_seconds())
    return {channel: Measured(timedelta(seconds=median(found)), len(found)) for channel, found in waits.items()}
