"""What the trail listens to: changes of people, roles, tokens, shops, members and rules; log-ins; files taken out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from auditlog.models import LogEntry
from auditlog.registry import auditlog
from django.contrib.auth.models import Group
from django.contrib.auth.signals import user_logged_in
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.db.models.signals import post_delete, post_save
from django.http import HttpRequest, HttpResponse
from django.utils.http import parse_header_parameters
from django.utils.translation import gettext_noop
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from appeals.models import Appeal, Membership, ReminderRule, Shop
from hub.models import ApiToken, User
from hub.trail.models import TrailEntry, current_request, place_of

Action = LogEntry.Action
UNTOLD: dict[type[Model], tuple[str, ...]] = {
    User: ("id", "last_login", "session_round", "reset_mailed_at", "date_joined"),
    Group: ("id",),
    ApiToken: ("digest", "last_used_at", "created"),
    Shop: ("id", "version", "created_at"),
    Membership: ("id",),
    ReminderRule: ("id",),
}
TOLD_LISTS: dict[type[Model], list[str]] = {
    User: ["groups", "user_permissions"],
    Group: ["permissions"],
    ReminderRule: ["people"],
}
OF_APPEAL = ("appeal_id", "pk")
"""How the addresses of an appeal's files call its number."""


def listen() -> None:
    """Called once, when the hub starts."""
    for model in (User, Group, ApiToken, Shop, Membership, ReminderRule):
        auditlog.register(
            model,
            include_fields=[field.name for field in model._meta.fields if field.name not in UNTOLD.get(model, ())],
            m2m_fields=TOLD_LISTS.get(model, []),
            mask_fields=["password"] if model is User else [],
            mask_callable="hub.trail.listening.masked",
        )
    post_delete.connect(_tell_of_draft, sender=Appeal, dispatch_uid="trail")
    post_save.connect(_tell_of_second_step, sender=TOTPDevice, dispatch_uid="trail")
    post_delete.connect(_tell_of_second_step, sender=TOTPDevice, dispatch_uid="trail")
    post_save.connect(_tell_of_code, sender=StaticToken, dispatch_uid="trail")
    user_logged_in.connect(_tell_of_login, dispatch_uid="trail")


def masked(value: str) -> str:
    """Of a secret, the trail says that it changed."""
    return "•••" if value not in ("", "None") else ""


class TrailMiddleware:
    """Remembers whose request is being answered, and notes every file that is taken out of the hub."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        token = current_request.set(request)
        try:
            response = self.get_response(request)
            if response.headers.get("Content-Disposition", "").startswith("attachment"):
                _tell_of_export(request, response)
            return response
        finally:
            current_request.reset(token)


def _tell_of_export(request: HttpRequest, response: HttpResponse) -> None:
    """The file, the address with its filters, and the shop where the file belongs to one appeal."""
    _kind, parameters = parse_header_parameters(response.headers["Content-Disposition"])
    given = request.resolver_match.kwargs if request.resolver_match else {}
    appeal = next((given[name] for name in OF_APPEAL if name in given), None)
    shop = Appeal.objects.filter(pk=appeal).values_list("shop", flat=True).first() if appeal else None
    _note(
        Action.ACCESS,
        TrailEntry.Kind.EXPORT,
        parameters.get("filename", ""),
        shop_id=shop,
        additional_data={"address": request.get_full_path()[:1000]},
    )


def _tell_of_login(sender: Any, request: HttpRequest, user: User, **kwargs: Any) -> None:
    _note(Action.ACCESS, TrailEntry.Kind.LOGIN, str(user), actor=user, actor_email=user.email)


def tell_of_person(user: User, what: str, was: Any, now: Any) -> None:
    """What changed for a person beside their row. `what` is marked for translation."""
    changes = {what: [str(was), str(now)]}
    _note(Action.UPDATE, TrailEntry.Kind.PERSON, str(user), thing=user, object_id=user.pk, changes=changes)


def _tell_of_second_step(
    sender: Any, instance: TOTPDevice, created: bool | None = None, raw: bool = False, **kwargs: Any
) -> None:
    """Set up (`created`) or taken away; that a code was given saves the row, too, and is a log-in."""
    if created is not False and not raw:
        tell_of_person(instance.user, gettext_noop("Second step of the log-in"), created is None, bool(created))


def _tell_of_code(sender: Any, instance: StaticToken, created: bool, raw: bool = False, **kwargs: Any) -> None:
    """One from the command line: those of a person's own page are made at once, and told by who makes them."""
    if created and not raw:
        tell_of_person(instance.device.user, gettext_noop("New backup codes"), "", 1)


def _tell_of_draft(sender: Any, instance: Appeal, **kwargs: Any) -> None:
    """A draft takes its own timeline along; that it was there stays."""
    place = place_of(instance)
    _note(Action.DELETE, place["kind"], str(instance), shop_id=place["shop_id"], thing=instance)


def _note(action: int, kind: str, name: str, thing: Model | None = None, **fields: Any) -> None:
    content_type = ContentType.objects.get_for_model(thing) if thing else None
    TrailEntry.objects.create(
        action=action,
        kind=kind,
        object_repr=name,
        object_pk=str(thing.pk) if thing else "",
        content_type=content_type,
        **fields,
    )
