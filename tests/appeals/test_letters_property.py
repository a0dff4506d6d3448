"""Whatever the fields hold, a letter comes out whole: it says what was entered, and names what was not."""

from io import BytesIO

import docx
import pytest
from django.utils.translation import override
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from appeals import letters, lifecycle
from appeals.documents import Paragraph, clean
from appeals.letters import Kind
from appeals.models import Appeal, Shop
from hub.models import User
from marketplaces.models import Marketplace
from tests.appeals.conftest import moscow

pytestmark = pytest.mark.django_db

NOW = moscow("2026-10-13 09:00")
SHOP = ("legal_name", "inn", "ogrn", "postal_address", "seller_id")
APPEAL = ("external_number", "body", "desired_outcome")
PLACE = ("legal_entity", "postal_address")
# What each kind says as it was entered, and what it calls it when it is missing
LEGAL = {"legal_name", "inn", "ogrn", "postal_address", "body", "desired_outcome"}
SAYS = {
    Kind.FOLLOW_UP: {"external_number"},
    Kind.STOCK_REPLY: {"external_number", "desired_outcome", "reply"},
    Kind.COMPLAINT: LEGAL | {"seller_id", "external_number", "place.legal_entity"},
    Kind.CLAIM: LEGAL | {"seller_id", "external_number", "place.legal_entity", "place.postal_address"},
    Kind.FAS: LEGAL | {"seller_id", "place.legal_entity", "place.postal_address"},
}
NAMES = {"desired_outcome": "wish", "place.legal_entity": "addressee", "place.postal_address": "addressee_address"}

odd = st.sampled_from(
    [
        "",
        "   \n\t",
        "\x00\x1b\x0b\x1f",
        "«Рога & копыта» \"'<b>&amp;</b>' ]]> --",
        "{{ need.inn }}{% endpart %}{# #}\\",
        "я" * 10_000,
        "<w:p/>" * 500,
        "Latin only, Ltd.",
        "😀👩‍👩‍👧‍👦🇷🇺",
        "строка\r\nстрока\rстрока\n\n\nконец.",
        "%(amount)d %s {0}",
        "----",
        "\u202eabc\ufeff\u2028x\ufffe",
    ]
)
texts = odd | st.text(max_size=60)


FIELDS = (*SHOP, *APPEAL, *(f"place.{name}" for name in PLACE), "reply")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kind=st.sampled_from(list(Kind)),
    entered=st.fixed_dictionaries(dict.fromkeys(FIELDS, texts)),
    numbers=st.lists(texts, max_size=3),
)
@example(kind=Kind.CLAIM, entered=dict.fromkeys(FIELDS, ""), numbers=[])
def test_a_letter_says_what_was_entered_and_names_what_was_not(
    sent: Appeal, agent: User, *, kind: Kind, entered: dict[str, str], numbers: list[str]
) -> None:
    appeal = filled(sent, agent, entered, numbers)
    letter = letters.compose(appeal, kind, now=NOW)

    said = {**entered, "reply": " ".join(entered["reply"].split())[:100]}
    lacks = {gap.field for gap in letter.missing}
    for name in SAYS[kind]:
        value = clean(said[name]).strip()
        assert value.removesuffix(".") in letter.plain
        assert (NAMES.get(name, name) in lacks) == (not value), name
    for number in numbers:
        assert clean(number) in letter.plain
    with override("ru"):
        assert all(f"[{gap}]" in letter.plain for gap in letter.missing)
    assert letter.text.splitlines()[-1].startswith("Это черновик")

    document = docx.Document(BytesIO(letter.docx()))
    blocks = [*letter.body, letters.RULE, *letter.notes]
    assert [one.text for one in document.paragraphs] == [one.text for one in blocks if isinstance(one, Paragraph)]
    rows = [list(row) for one in blocks if not isinstance(one, Paragraph) for row in (one.header, *one.rows)]
    assert [[cell.text for cell in row.cells] for table in document.tables for row in table.rows] == rows


def filled(sent: Appeal, agent: User, entered: dict[str, str], numbers: list[str]) -> Appeal:
    """The appeal with these values, whatever the forms would say to them."""
    Marketplace.objects.update(**{name: entered[f"place.{name}"] for name in PLACE})
    Shop.objects.update(**{name: entered[name] for name in SHOP})
    Appeal.objects.update(**{name: entered[name] for name in APPEAL}, order_numbers=numbers, product_codes=numbers)
    lifecycle.record_reply(appeal=sent, actor=agent, now=NOW, kind="brush_off", text=entered["reply"])
    return Appeal.objects.select_related("shop__marketplace", "topic", "channel").get(pk=sent.pk)
