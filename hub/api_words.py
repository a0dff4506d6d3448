"""What a field means wherever its serializer does not say it itself: one place, so that a word means one thing."""

from typing import Final

_APPEAL: Final = {
    "channel": "Number of the channel it goes through; null: not chosen.",
    "subject": "What it is about, in a line.",
    "body": "The text for the marketplace.",
    "desired_outcome": "What the marketplace is asked to do.",
    "order_numbers": "Numbers of the orders that it is about.",
    "product_codes": "Codes of the products that it is about.",
    "external_number": "The number that the marketplace gave it; empty: none yet.",
    "client_reference": "What your own program calls it. The hub keeps it and does nothing with it.",
    "marketplace": "Slug of the shop's marketplace.",
    "status": "Where it stands in its life.",
    "outcome": "How it ended; null: not resolved.",
    "created_by": "E-mail of whoever made the draft.",
    "submitted_at": "When it went out; null: a draft.",
    "resolved_at": "When it was resolved; null: it is not.",
    "snoozed_until": "Until when nobody is reminded; null: no silence.",
    "is_overdue": "Whether a running deadline is late now.",
    "escalation": "Steps of the escalation path: taken, and next.",
    "deadlines": "Its clocks, the earliest first; of each kind one runs at most.",
}
_DEADLINE: Final = {
    "kind": "What is awaited.",
    "state": "Met late is `missed`, with a `met_at`.",
    "started_at": "Since when it runs.",
    "due_at": "When it is due. 24:00 is written as 00:00 of the next day.",
    "met_at": "When it was met, in time or late; null: it was not.",
    "target": "What was promised.",
}
_SHOP: Final = {
    "name": "Its name in the hub.",
    "seller_id": "The seller's number at the marketplace.",
    "legal_name": "Its legal entity, as in letters.",
    "inn": "Taxpayer number: 10 or 12 digits.",
    "ogrn": "State registration number: 13 or 15 digits.",
    "postal_address": "Where answers by post go.",
}
_STEP: Final = {
    "name": "What the step is.",
    "takes_place": "Where it is taken.",
    "when_to_take": "When it is time for it.",
    "channel": "Number of the channel that it is taken by; null: none of the directory.",
    "instructions": "How it is taken.",
    "attach": "What has to be attached.",
    "term_amount": "How long its answer may take; null: no term of its own.",
    "term_unit": "Unit of the term.",
    "term_basis": "The law or rule that the term comes from.",
    "available_from": "The first day on which it can be taken; null: at any time.",
}
_TARGET: Final = {
    "topic": "Slug of the topic that it is for; null: any.",
    "channel": "Number of the channel that it is for; null: any.",
    "priority": "The priority that it is for; null: any.",
    "is_complex": "Whether it is for complex cases or for the others; null: for both.",
}
_CHANNEL: Final = {
    "name": "What it is called.",
    "address": "Address, number or link.",
    "instructions": "How to write there.",
    "needs_login": "Whether it can be used only from the seller account.",
    "works_without_account": "Whether it can be used when the account is blocked.",
    "first_reply": "How soon a first reply comes, as the sources say.",
}
_ERRORS: Final = {"errors": "What is wrong, each on its own."}
OF: Final[dict[str, dict[str, str]]] = {
    "Appeal": _APPEAL,
    "Deadline": _DEADLINE,
    "DeadlineOfReminder": _DEADLINE,
    "Shop": _SHOP,
    "EscalationStep": _STEP,
    "NextStep": _STEP,
    "ResponseTarget": _TARGET,
    "Attachment": {
        "name": "Its name, as it was sent.",
        "sha256": "SHA-256 of its bytes, in hexadecimal digits.",
        "uploaded_by": "E-mail of whoever attached it; null: it came by mail.",
    },
    "Channel": _CHANNEL,
    "Contact": _CHANNEL,
    "Conflict": _ERRORS | {"allowed": "The states that would allow it."},
    "Doubt": {"name": "The fact.", "note": "What is known about it."},
    "Errors": _ERRORS,
    "Escalate": {"step": "Number of a step of the marketplace's escalation path.", "note": "For the timeline."},
    "Escalation": {"taken": "Those taken, the earliest first.", "next": "The one proposed next; null: none is left."},
    "Event": {
        "kind": "What happened. New kinds may come.",
        "text": "The text of the message or reply, or a note.",
        "step": "Number of the escalation step that was taken; null: none.",
    },
    "FirstReply": {"typical": "As a rule; null: not known.", "worst": "At the most; null: not known."},
    "Gap": {"field": "For programs."},
    "Letter": {
        "title": "Its heading.",
        "missing": "What nobody has entered.",
        "unconfirmed": "Facts of the directory in it that nobody has confirmed.",
    },
    "Marketplace": {
        "name": "What it is called.",
        "time_zone": "IANA name of its time zone.",
        "legal_entity": "Whom letters are written to; empty: not known.",
        "postal_address": "Where letters by post go; empty: not known.",
        "ticket_number_pattern": "Regular expression that its numbers fit; empty: not known.",
    },
    "Me": {
        "email": "Whose token it is.",
        "full_name": "The person's or program's name.",
        "language": "Of the sentences in answers.",
        "time_zone": "IANA name of the zone of the times in sentences.",
        "is_administrator": "Whether it may do everything.",
    },
    "Message": {"text": "What we wrote."},
    "OpeningHoursText": {"ru": "In Russian.", "en": "In English."},
    "OwnShop": {"name": "Its name.", "is_lead": "Whether it leads the shop."},
    "Place": {"start": "First character of the place.", "end": "First character after it."},
    "Promise": {"target": "What is promised.", "due_at": "When it would be due."},
    "Promises": {"first_reply": "Null: nothing is promised.", "answer": "Null: nothing is promised."},
    "Reminder": {
        "appeal": "Number of the appeal.",
        "deadline": "The deadline that it tells of, as it is now.",
        "level": "Its rung on the ladder of reminders: 1 is told first.",
        "person": "E-mail of the user who is told; null: an address of the rule, or nobody.",
        "role": "As what the person is told.",
        "state": "What became of it.",
        "reason": "Why it ended as it did, or why it waits; null: as usual.",
        "send_after": "It is not sent before.",
        "sent_at": "When it was sent; null: it was not.",
    },
    "Reply": {"text": "What the marketplace wrote."},
    "TakenStep": {"name": "What the step is.", "at": "When it was taken."},
    "Target": {"amount": "How many of the unit.", "unit": "What is counted."},
    "Token": {
        "name": "What it is for.",
        "created": "When it was made.",
        "last_used_at": "When it was last used, to the minute; null: never before.",
    },
    "Topic": {
        "slug": "Its identifier everywhere.",
        "name": "What it is called.",
        "examples": "Cases of this topic.",
    },
}
ANYWHERE: Final = {
    "id": "Its number.",
    "slug": "Its identifier.",
    "marketplace": "Slug of its marketplace.",
    "amount": "How many of the unit.",
    "position": "Its place on the path.",
    "created_at": "When it was made.",
    "note": "For the timeline.",
    "verified_on": "The day on which it was last compared with its source; null: never.",
}


def meaning(component: str, field: str) -> str | None:
    own = OF.get(component.removeprefix("Patched").removesuffix("Request"), {})
    return own.get(field) or ANYWHERE.get(field)
