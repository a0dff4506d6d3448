# mypy: ignore-errors
"""An appeal's life by the client that `openapi-python-client` makes of docs/openapi.yaml: run by test_client.py."""

import os
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from io import BytesIO

from hub_client import AuthenticatedClient
from hub_client.api.appeals import (
    appeals_attachments_create,
    appeals_attachments_list,
    appeals_create,
    appeals_delete,
    appeals_escalate,
    appeals_events_list,
    appeals_list,
    appeals_messages,
    appeals_reopen,
    appeals_replies,
    appeals_resolve,
    appeals_retrieve,
    appeals_snooze,
    appeals_submit,
    appeals_update,
)
from hub_client.api.marketplaces import marketplaces_contact, marketplaces_promise
from hub_client.api.me import me
from hub_client.models import (
    AppealRequest,
    EscalateRequest,
    MessageRequest,
    OutcomeEnum,
    PatchedAppealRequest,
    PriorityEnum,
    ReopenRequest,
    ReplyKind,
    ReplyRequest,
    ResolveRequest,
    SnoozeRequest,
    SubmitRequest,
    UploadRequest,
)
from hub_client.types import File

client = AuthenticatedClient(base_url=os.environ["HUB"], token=os.environ["TOKEN"])
now = datetime.now(UTC)

shop = me.sync(client=client).shops[0]
places = marketplaces_contact.sync("bazaar", client=client, topic="money")
assert places[0].is_open
promised = marketplaces_promise.sync("bazaar", client=client, topic="money", channel=places[0].id)
assert promised.first_reply.target.amount == 2

wanted = AppealRequest(shop=shop.id, subject="Where is the money?", topic="money", channel=places[0].id)
draft = appeals_create.sync(client=client, body=wanted, idempotency_key="life-1")
again = appeals_create.sync_detailed(client=client, body=wanted, idempotency_key="life-1")
assert again.parsed.id == draft.id
assert again.headers["Idempotent-Replayed"] == "true"

tag = appeals_retrieve.sync_detailed(draft.id, client=client).headers["ETag"]
urgent = PatchedAppealRequest(priority=PriorityEnum.URGENT, order_numbers=["1", "2"], amount_at_stake="12500.00")
assert appeals_update.sync(draft.id, client=client, body=urgent, if_match=tag).order_numbers == ["1", "2"]
stale = appeals_update.sync_detailed(draft.id, client=client, body=urgent, if_match=tag)
assert stale.status_code == HTTPStatus.PRECONDITION_FAILED
assert stale.parsed.errors[0].code == "stale"

early = appeals_resolve.sync(draft.id, client=client, body=ResolveRequest(outcome=OutcomeEnum.GRANTED))
assert (early.errors[0].code, early.status) == ("state", "draft")

sent = appeals_submit.sync(draft.id, client=client, body=SubmitRequest(at=now - timedelta(hours=3)))
assert (sent.status, sent.turn, sent.is_overdue) == ("waiting", "marketplace", True)
assert [one.id for one in appeals_list.sync(client=client, overdue=True).results] == [draft.id]

proof = UploadRequest(file=File(payload=BytesIO(b"paid on Monday"), file_name="proof.txt", mime_type="text/plain"))
attached = appeals_attachments_create.sync(draft.id, client=client, body=proof)
assert appeals_attachments_list.sync(draft.id, client=client).results[0].sha256 == attached.sha256

asked = appeals_replies.sync(draft.id, client=client, body=ReplyRequest(kind=ReplyKind.QUESTION, text="Which?"))
assert asked.turn == "us"
assert appeals_messages.sync(draft.id, client=client, body=MessageRequest(text="No. 5")).turn == "marketplace"
step = appeals_retrieve.sync(draft.id, client=client).escalation.next_
escalated = appeals_escalate.sync(draft.id, client=client, body=EscalateRequest(step=step.id))
assert [one.id for one in escalated.escalation.taken] == [step.id]
appeals_snooze.sync(draft.id, client=client, body=SnoozeRequest(until=now + timedelta(days=1)))
half = ResolveRequest(outcome=OutcomeEnum.PARTLY_GRANTED, amount_recovered="6250.00")
assert appeals_resolve.sync(draft.id, client=client, body=half).amount_recovered == "6250.00"
assert appeals_reopen.sync(draft.id, client=client, body=ReopenRequest(note="Not paid")).status == "waiting"
assert appeals_delete.sync_detailed(draft.id, client=client).status_code == HTTPStatus.CONFLICT
print(*(event.kind for event in appeals_events_list.sync(draft.id, client=client, page_size=200).results))  # noqa: T201
