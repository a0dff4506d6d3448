"""Where to write now, for one reader: the directory's answer with what was promised and what our own appeals took."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from appeals.measured import first_replies
from appeals.models import Appeal
from appeals.promises import Promise, by_channel
from marketplaces import contact
from marketplaces.models import Channel, Marketplace, Topic

Promises = Callable[[Channel | None], dict[str, Promise | None]]


def where_to_write(
    marketplace: Marketplace, *, reader: Any, at: datetime, topic: Topic | None = None, account_access: bool = True
) -> tuple[contact.Places, Promises]:
    """The channels, best first, and what each promises for a message sent at `at`; the page and the API both ask here.

    Only appeals that the `reader` may see are measured. Raises ValueError where a promise ends beyond the calendars.
    """
    promises = by_channel(marketplace, at=at, topic=topic)

    def first_reply(channel: Channel) -> timedelta | None:
        promise = promises(channel)["first_reply"]
        return promise.due_at - at if promise else None

    measured = first_replies(marketplace, Appeal.objects.visible_to(reader))
    places = contact.rank(
        marketplace, at=at, topic=topic, account_access=account_access, promised=first_reply, measured=measured
    )
    return places, promises
