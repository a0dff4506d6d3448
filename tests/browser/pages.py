"""Every page that the hub has, found through the URL resolver: a new one cannot be forgotten."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.contrib.auth.models import Group
from django.contrib.auth.tokens import default_token_generator
from django.core.files.base import ContentFile
from django.urls import reverse
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from appeals import incidents, letters, lifecycle, shops
from appeals.admin import bulk, verbs
from appeals.incidents import Facts, Part, Text
from appeals.models import Appeal, Attachment, Incident, Reminder, ReminderRule, SavedView
from appeals.orders import Order
from hub.models import ApiToken, User
from marketplaces.models import Channel, EscalationStep, Marketplace, ResponseTarget, Rule, Source, Topic
from tests.hub import who_may

# Parts of pages, and addresses that lead nowhere by themselves
PARTS = {"/admin/search/", "/admin/appeals/appeal/promise/", "/admin/r/<content_type_id>/<object_id>/", "/admin/<url>"}
FIRST_OF_EACH = (Channel, EscalationStep, Marketplace, ResponseTarget, Rule, Source, Topic, ReminderRule, Group)
SEVERAL = {
    "/admin/appeals/appeal/<pk>/do/<verb>/": ("record_reply", verbs.FORMS),
    "/admin/appeals/appeal/many/<verb>/": ("record_reply", bulk.FORMS),
    "/admin/appeals/appeal/<pk>/letter/<kind>/": ("claim", letters.Kind.values),
}


def example(administrator: User) -> Appeal:
    """An appeal that is late, was asked about, and took a step; it was written again, and there is a draft and an
    incident."""
    now, ozon = timezone.now(), Marketplace.objects.get(slug="ozon")
    shop = shops.create(actor=administrator, name="Чайный дом", marketplace=ozon)
    one = lifecycle.create(
        actor=administrator, now=now, shop=shop, subject="Нет выплаты", body="Текст", assignee=administrator
    )
    one = lifecycle.submit(appeal=one, actor=administrator, now=now, at=now - timedelta(days=30))
    lifecycle.create(actor=administrator, now=now, shop=shop, subject="Снова", previous=one)
    incidents.make(
        actor=administrator,
        now=now,
        token=uuid4(),
        title="Сбой выплат",
        parts=[Part(shop, [Order("1-1"), Order("1-2")])],
        text=Text("Выплата {номера}", "{номера}"),
        facts=Facts(),
    )
    lifecycle.record_reply(appeal=one, actor=administrator, now=now, kind="brush_off", text="Ждите")
    return lifecycle.record_reply(appeal=one, actor=administrator, now=now, kind="question", text="Какой заказ?")


def known(appeal: Appeal, reader: User, *, every: bool = False) -> list[who_may.Address]:
    """What can be opened by `reader`, an administrator: the pages of this appeal, and one of every other kind.

    With `every`, what is no page or is denied an administrator too.
    """
    left_out, examples = PARTS | _refused(), _examples(appeal, reader)
    found = [
        one
        for one in who_may.admin_addresses(examples)
        if one.method == "get" and (every or not (one.shown.endswith("/<object_id>/") or one.shown in left_out))
    ]
    several = [
        replace(one, url=one.url.replace(f"/{word}/", f"/{other}/"))
        for one in found
        for word, others in [SEVERAL.get(one.shown, ("", ()))]
        for other in others
    ]
    own, lists = appeal.get_absolute_url(), reverse("admin:appeals_appeal_changelist")
    draft = Appeal.objects.get(previous=appeal).get_absolute_url()
    incident = Incident.objects.get().get_absolute_url()
    edited = [f"{page}?edit=1" for page in (own, draft, incident)]
    forbidden = reverse("admin:appeals_appeal_delete", args=[appeal.pk])
    further = [draft, *edited, forbidden, f"{lists}?due=overdue", f"{lists}?q=no"]
    many = "/admin/appeals/appeal/many/"
    return [
        replace(one, url=f"{one.url}?ids={appeal.pk}") if one.url.startswith(many) else one
        for one in [*(one for one in found if one.shown not in SEVERAL), *several]
    ] + [who_may.Address("get", address, address) for address in further]


def for_strangers(user: User) -> list[who_may.Address]:
    """The pages before the log-in, and what somebody who lost the way is told."""
    reset = "/admin/password/<uidb64>/<token>/"
    letter = {"uidb64": urlsafe_base64_encode(force_bytes(user.pk)), "token": default_token_generator.make_token(user)}
    addresses = [reverse("login"), reverse("admin_password_reset"), reverse("password_reset_done"), "/nowhere/"]
    resets = [reverse("password_reset_confirm", kwargs=kwargs) for kwargs in (letter, letter | {"token": "x-y"})]
    known = [(one, one) for one in addresses] + [(reset, one) for one in resets]
    return [who_may.Address("get", shown, one) for shown, one in known]


def _refused() -> set[str]:
    """Addresses that docs/who-may.md denies an administrator, whose column is the last, and those that take forms."""
    rows = (line.split("|")[1:-1] for line in who_may.written("page"))
    return {row[1].strip(" `") for row in rows if row[0].strip() == "GET" and row[-1].strip() in ("-", "no")}


def _examples(appeal: Appeal, reader: User) -> dict[str, Any]:
    now = timezone.now()
    rows = {model._meta.label_lower.replace(".", "_"): model._default_manager.all()[0].pk for model in FIRST_OF_EACH}
    file = Attachment.objects.create(
        appeal=appeal, file=ContentFile(b"a", "a"), name="a", content_type="text/plain", size=1, created_at=now
    )
    reminder = Reminder.objects.create(
        deadline=appeal.deadlines.all()[0],
        address=reader.email,
        due_at=now,
        rung_at=now,
        role="lead",
        created_at=now,
        send_after=now,
    )
    gone = User.objects.create_user("gone@example.com", full_name="Ольга Ушедшая", is_active=False)
    Appeal.objects.filter(previous=appeal).update(assignee=gone)
    return rows | {
        "hub_user": reader.pk,
        "auth_user": reader.pk,
        "hub_apitoken": ApiToken.objects.create(user=reader, name="1С")[0].pk,
        "appeals_appeal": appeal.pk,
        "appeals_shop": appeal.shop_id,
        "appeals_incident": Incident.objects.get().pk,
        "handover-person pk": gone.pk,
        "appeals_appeal_letter kind": "claim",
        "appeals_reminder": reminder.pk,
        "appeals_appeal_forget_view pk": SavedView.objects.create(user=reader, name="Мои", query="turn=us").pk,
        "file": file.pk,
        "verb": "record_reply",
        "kind": "csv",
        "slug": "ozon",
        "app_label": "appeals",
        "url": "nowhere/",
        "content_type_id": 1,
        "object_id": 1,
        "uidb64": "MQ",
        "token": "x-y",
    }
