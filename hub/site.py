"""The menu of the workplace: each entry is shown to those who may open it."""

from functools import partial
from typing import Any, NoReturn

from django.http import Http404, HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from appeals.admin import home
from appeals.admin.people import leads, open_offers, reader
from hub.trail import reading

Entry = tuple[str, str, str, str]


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    work: list[Entry] = [
        (_("What needs me now"), "home", "index", ""),
        (_("Appeals"), "forum", "appeals_appeal_changelist", "appeals.view_appeal"),
        (_("Incidents"), "crisis_alert", "appeals_incident_changelist", "appeals.view_appeal"),
        (_("Shops"), "storefront", "appeals_shop_changelist", "appeals.view_shop"),
        (_("Reminders"), "notifications", "appeals_reminder_changelist", "appeals.view_reminder"),
    ]
    directory: list[Entry] = [
        (_("Marketplaces"), "shopping_bag", "marketplaces_marketplace_changelist", "marketplaces.view_marketplace"),
        (_("Channels"), "support_agent", "marketplaces_channel_changelist", "marketplaces.view_channel"),
        (_("Topics"), "sell", "marketplaces_topic_changelist", "marketplaces.view_topic"),
        (
            _("Response targets"),
            "timer",
            "marketplaces_responsetarget_changelist",
            "marketplaces.view_responsetarget",
        ),
        (
            _("Escalation steps"),
            "trending_up",
            "marketplaces_escalationstep_changelist",
            "marketplaces.view_escalationstep",
        ),
        (_("Rules"), "gavel", "marketplaces_rule_changelist", "marketplaces.view_rule"),
        (_("Sources"), "menu_book", "marketplaces_source_changelist", "marketplaces.view_source"),
    ]
    settings: list[Entry] = [
        (_("Reminder rules"), "notification_settings", "appeals_reminderrule_changelist", "appeals.view_reminderrule"),
        (_("People"), "group", "hub_user_changelist", "hub.view_user"),
        (_("Roles"), "badge", "auth_group_changelist", "auth.view_group"),
        (_("API tokens"), "key", "hub_apitoken_changelist", "hub.view_apitoken"),
    ]
    first = _group(request, "", work)
    first["items"].insert(
        0, {"title": _("Where to write"), "icon": "contact_support", "link": reverse("where-to-write")}
    )
    known = _group(request, _("Directory"), directory)
    if request.user.has_perm("marketplaces.change_channel"):
        known["items"].append(_release(open_offers(request)))
    last = _group(request, _("Settings"), settings)
    last["items"] += _of_leads(request)
    return [first, known, last]


def _of_leads(request: HttpRequest) -> list[dict[str, Any]]:
    """The pages of those who look after shops and people."""
    user = reader(request)
    found = []
    if user.is_superuser or leads(request):
        found.append({"title": _("Handing over"), "icon": "swap_horiz", "link": reverse("handover")})
    if reading.may_read(user, partial(leads, request)):
        found.append({"title": _("Trail"), "icon": "history", "link": reverse("trail")})
    return found


def _release(count: int) -> dict[str, Any]:
    """What a release says otherwise than the team, for those who decide on it."""
    badge = {"badge": str(count), "badge_variant": "warning"} if count else {}
    return {"title": _("Changes of the release"), "icon": "rule", "link": reverse("offers"), **badge}


def account(request: HttpRequest) -> list[dict[str, Any]]:
    """The links under the name of the person who is logged in."""
    return [
        {"title": _("My settings"), "link": reverse("profile")},
        {"title": _("Second step of the log-in"), "link": reverse("second-step")},
        {"title": _("Keys and words"), "link": reverse("admin:appeals_appeal_help")},
        {"title": _("Change password"), "link": reverse("admin:password_change")},
    ]


def _group(request: HttpRequest, title: str, entries: list[Entry]) -> dict[str, Any]:
    return {"title": title, "separator": bool(title), "items": [_item(request, *entry) for entry in entries]}


def _item(request: HttpRequest, title: str, icon: str, view: str, permission: str) -> dict[str, Any]:
    counted = {
        "index": ("our_turn", "warning", _("Our turn")),
        "appeals_appeal_changelist": ("overdue", "danger", _("Overdue")),
    }
    need, variant, said = counted.get(view, ("", "", ""))
    count = home.counts(request)[need] if need and request.user.has_perm("appeals.view_appeal") else 0
    return {
        "title": title,
        "icon": icon,
        "link": reverse(f"admin:{view}"),
        "permission": lambda request: not permission or request.user.has_perm(permission),
        **({"badge": str(count), "badge_variant": variant, "badge_title": f"{said}: {count}"} if count else {}),
    }


def nowhere(request: HttpRequest, **thing: Any) -> NoReturn:
    """Django's way to the page of anything tells all who ask which numbers there are; nothing of ours leads there."""
    raise Http404
