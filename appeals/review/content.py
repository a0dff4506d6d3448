"""What is not there: numbers, dates, evidence, the wished outcome. The topic of the directory says what it needs."""

import re
from collections.abc import Iterator

from django.utils.translation import gettext as _

from appeals.review.facts import Facts, Finding, Severity
from marketplaces.models import Channel, Topic

Required = Topic.Required
# Nobody writes a text to those
SPOKEN = (Channel.Kind.PHONE, Channel.Kind.HOTLINE)

_MONTHS = (
    r"январ\w*|феврал\w*|март[аеу]?|апрел\w*|ма[йяею]|июн\w*|июл\w*|август\w*|сентябр\w*|октябр\w*|ноябр\w*|декабр\w*"
    r"|january|february|march|april|may|june|july|august|september|october|november|december"
)
_DAY, _MONTH = r"(?:0?[1-9]|[12]\d|3[01])", r"(?:0[1-9]|1[0-2])"
_DATE = re.compile(
    rf"\b{_DAY}[./]{_MONTH}(?:[./](?:20)?\d\d)?\b(?![.,]?\d)|\b20\d\d-{_MONTH}-{_DAY}\b"
    rf"|\b\d{{1,2}}(?:-?г?о)?\s+(?:{_MONTHS})\b|\b(?:за|в|с|по|до|от|for|in|since)\s+(?:{_MONTHS})\b"
    r"|\b(?:вчера|позавчера|сегодня|yesterday|today)\b",
    re.IGNORECASE,
)
# As the form recognises them too; a mobile phone's number is none
_NUMBER = re.compile(r"(?<![\d+-])(?![78]9\d{9}(?!\d))\d{7,20}(?:-\d{4}-\d{1,2})?(?![\d-])")
# What names the number that follows as one of something else: as the form has it, too
_OF_OTHERS = re.compile(
    r"(?<!\w)(?:отч[её]т\w*|report|акт(?:а|у|ом|е|ы|ов)?|сч[её]т(?:а|у|ом|е|ов)?(?:-фактур\w*)?|invoice|договор\w*|упд"
    r"|накладн\w*|обращени\w*|заявк\w*|претензи\w*|инн|огрн(?:ип)?|кпп|бик)"
    r"(?:(?: (?!заказ|отправлен)[^\W\d]+){0,3} ?(?:№|#|номер))?:? ?$",
    re.IGNORECASE,
)
_PRODUCT = re.compile(
    r"\b(?:арт(?:икул\w*|\.)|sku|nmid|nm\s?id|штрих-?код\w*|баркод\w*|offer[_ ]?id|barcode)\W{0,8}(?:\w+\W{1,3}){0,3}?"
    r"[\w-]*\d[\w-]*|/(?:product|catalog|item)/\S*\d",
    re.IGNORECASE,
)
_REPORT = re.compile(
    r"\b(?:отч[её]т\w*|report|акт\w{0,2}|реестр\w*|упд)\b[^.!?\n]{0,60}?\d"
    r"|(?:№|n[o°]\.?)\s*\d+[^.!?\n]{0,40}\bотч[её]т",
    re.IGNORECASE,
)
_CALL = re.compile(
    r"/v\d+/|\b(?:get|post|put|patch|delete)\s+/|https?://\S*api\S*|\brequest[-_ ]?id\b|x-request"
    r"|[0-9a-f]{8}-[0-9a-f]{4}-",
    re.IGNORECASE,
)
_OUTCOME = re.compile(
    r"\b(?:прошу|просим|просьба|требу\w+|вернит\w*|возместит\w*|перечислит\w*|разблокируйте|исправьте|отмените|снимите"
    r"|сообщите|подскажите|разъясните|проверьте|please|we ask|ask you|i ask|kindly)\b",
    re.IGNORECASE,
)
_ANNOUNCED = re.compile(
    r"\b(?:прилага\w+|прикладыва\w+|приложил\w*|прикрепл\w+|прикрепил\w*|во вложени\w+|в приложении|см\. вложени\w*"
    r"|attached|enclosed)\b",
    re.IGNORECASE,
)


def lacking(facts: Facts) -> Iterator[Finding]:
    """An empty text first; of an empty one the rest need not be said."""
    if not facts.subject.strip():
        message, mend = _("The subject is empty."), _("Say in a few words what it is about.")
        yield Finding("empty_subject", Severity.ERROR, message, "subject", mend)
    if not facts.body.strip() and not (facts.channel and facts.channel.kind in SPOKEN):
        message = _("The text is empty.")
        mend = _("Say what happened, step by step: what, when, with which number, what you have done already.")
        yield Finding("empty_body", Severity.ERROR, message, "body", mend)
        return
    for check in (_numbers, _dates, _evidence, _outcome, _earlier_number):
        yield from check(facts)


def _needed(facts: Facts) -> set[str]:
    return set(facts.topic.required) if facts.topic else set()


def _has_order(text: str) -> bool:
    return any(
        not _OF_OTHERS.search(text[max(0, found.start() - 80) : found.start()]) for found in _NUMBER.finditer(text)
    )


def _numbers(facts: Facts) -> Iterator[Finding]:
    """Each number that the topic needs and that stands neither in its field nor in the text."""
    needed, text = _needed(facts), facts.text
    if Required.ORDER_NUMBER in needed and not facts.order_numbers and not _has_order(text):
        yield _absent("no_order_number", _("There is no order number."), "order_numbers", _("Give the order numbers."))
    if Required.PRODUCT_CODE in needed and not facts.product_codes and not _PRODUCT.search(text):
        mend = _("Give the product codes, or links to the cards.")
        yield _absent("no_product_code", _("There is no product code."), "product_codes", mend)
    if Required.REPORT_NUMBER in needed and not _REPORT.search(text):
        mend = _("Give the number of the report and its period.")
        yield _absent("no_report_number", _("There is no number of a report."), "body", mend)
    if Required.API_REQUEST in needed and not _CALL.search(text):
        mend = _("Give the whole call, the time of it and its request number.")
        yield _absent("no_api_request", _("There is no call of the API."), "body", mend)


def _absent(code: str, message: str, field: str, mend: str) -> Finding:
    message = _("%(what)s Appeals on this topic are sent back without it.") % {"what": message}
    return Finding(code, Severity.ERROR, message, field, mend)


def _dates(facts: Facts) -> Iterator[Finding]:
    if not _DATE.search(facts.text):
        severity = Severity.WARNING if Required.DATES in _needed(facts) else Severity.HINT
        mend = _("Say on which days it happened, in numbers: 12.10.2026.")
        yield Finding("no_dates", severity, _("There are no dates."), "body", mend)


def _evidence(facts: Facts) -> Iterator[Finding]:
    if facts.has_files:
        return
    announced = _ANNOUNCED.search(facts.body)
    if announced:
        message, mend = _("The text speaks of attachments, and there are none."), _("Attach the files.")
        yield Finding("no_evidence", Severity.WARNING, message, "attachments", mend)
    elif Required.EVIDENCE in _needed(facts):
        mend = _("Attach screenshots, photos, documents or the correspondence.")
        yield Finding("no_evidence", Severity.WARNING, _("No evidence is attached."), "attachments", mend)


def _outcome(facts: Facts) -> Iterator[Finding]:
    if not facts.desired_outcome.strip() and not _OUTCOME.search(facts.body):
        severity = Severity.WARNING if Required.DESIRED_OUTCOME in _needed(facts) else Severity.HINT
        message = _("It is not said what you ask for.")
        mend = _("Say what should be done: pay so much, unblock the card, correct the report.")
        yield Finding("no_desired_outcome", severity, message, "desired_outcome", mend)


def _earlier_number(facts: Facts) -> Iterator[Finding]:
    number = facts.previous.external_number if facts.previous else ""
    if number and number not in facts.text:
        message = _("The earlier appeal is not quoted.")
        mend = _("Quote its number, %(number)s, so that they see how long it takes.") % {"number": number}
        yield Finding("previous_not_quoted", Severity.WARNING, message, "body", mend)
