"""axe-core finds nothing against WCAG 2.2 A and AA on any page of the workplace, light and dark, wide and narrow."""

from datetime import timedelta
from importlib.resources import files
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from appeals import incidents, lifecycle, shops
from appeals.incidents import Facts, Part, Text
from appeals.models import Appeal, Incident, ReminderRule
from appeals.orders import Order
from hub.models import User
from marketplaces.models import Channel, EscalationStep, Marketplace, ResponseTarget, Rule, Topic

from .conftest import log_in

pytestmark = pytest.mark.browser

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
FIRST_OF_EACH = (Marketplace, Channel, Topic, ResponseTarget, EscalationStep, Rule, ReminderRule)


@pytest.fixture
def appeal(administrator: User) -> Appeal:
    """One that is late, was asked about, and took a step."""
    now = timezone.now()
    ozon = Marketplace.objects.get(slug="ozon")
    shop = shops.create(actor=administrator, name="Чайный дом", marketplace=ozon)
    lifecycle.create(actor=administrator, now=now, shop=shop, subject="Черновик")
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


def addresses(appeal: Appeal) -> list[str]:
    own = [
        reverse(f"admin:{view}")
        for view in (
            "index",
            "appeals_appeal_changelist",
            "appeals_appeal_add",
            "appeals_incident_changelist",
            "appeals_incident_add",
            "appeals_shop_changelist",
            "appeals_shop_add",
            "appeals_appeal_import",
            "appeals_appeal_help",
            "appeals_reminder_changelist",
            "appeals_reminderrule_changelist",
            "hub_user_changelist",
            "hub_user_add",
            "auth_group_changelist",
            "hub_apitoken_add",
            "password_change",
        )
    ]
    page = appeal.get_absolute_url()
    verbs = [reverse("admin:appeals_appeal_verb", args=[appeal.pk, verb]) for verb in ("record_reply", "escalate")]
    letters = [reverse("admin:appeals_appeal_letter", args=[appeal.pk, kind]) for kind in ("follow_up", "claim")]
    many = f"{reverse('admin:appeals_appeal_many', args=['resolve'])}?ids={appeal.pk}"
    incident = Incident.objects.get()
    own += [incident.get_absolute_url(), f"{incident.get_absolute_url()}?edit=1"]
    shop = reverse("admin:appeals_shop_change", args=[appeal.shop_id])
    reference = [reverse("where-to-write"), reverse("escalation-path", args=["ozon"]), reverse("profile")]
    rows = [
        reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{view}", args=args)
        for model in FIRST_OF_EACH
        for view, args in (("changelist", []), ("change", [model._default_manager.all()[0].pk]))
    ]
    return [*own, page, f"{page}?edit=1", *verbs, *letters, many, shop, *reference, *rows]


def violations(page: Page) -> list[str]:
    page.evaluate(AXE)
    found = page.evaluate("rules => axe.run(document, { runOnly: rules })", RULES)["violations"]
    return [f"{one['id']}: {node['target']} {node['html'][:150]}" for one in found for node in one["nodes"]]


@pytest.mark.parametrize("screen", ["light 1280", "dark 1280", "light 375"])
def test_no_page_has_a_violation_of_a_or_aa(
    browser: Browser, live_server: LiveServer, appeal: Appeal, administrator: User, screen: str
) -> None:
    scheme, width = screen.split(maxsplit=1)[0], int(screen.split()[1])
    context = browser.new_context(
        base_url=live_server.url,
        locale="ru-RU",
        timezone_id="Europe/Moscow",
        color_scheme="dark" if scheme == "dark" else "light",
        viewport={"width": width, "height": 800},
    )
    page = context.new_page()
    page.goto("/admin/")
    found = [f"log-in: {one}" for one in violations(page)]
    log_in(page, administrator)
    for address in addresses(appeal):
        answer = page.goto(address)
        assert answer
        assert answer.ok, address
        page.wait_for_load_state("networkidle")
        found += [f"{address}: {one}" for one in violations(page)]
        if page.evaluate("document.documentElement.scrollWidth") > width:
            found.append(f"{address}: wider than the screen")
    context.close()
    assert not found, "\n".join(found)
