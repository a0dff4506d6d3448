"""The table of the trail: what was done that neither an appeal's timeline nor the directory's history tells."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any, NoReturn

from auditlog.models import AbstractLogEntry, LogEntryManager
from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

current_request: ContextVar[HttpRequest | None] = ContextVar("current_request", default=None)


class AppendOnlyError(TypeError):
    """Somebody tried to change or delete what has happened."""


class TrailQuerySet(models.QuerySet["TrailEntry"]):
    def update(self, **kwargs: Any) -> NoReturn:
        raise AppendOnlyError("The trail is append-only.")

    def delete(self) -> NoReturn:
        raise AppendOnlyError("The trail is append-only.")


class TrailManager(LogEntryManager.from_queryset(TrailQuerySet)):  # type: ignore[misc]
    def create(self, **fields: Any) -> TrailEntry:
        """A line, with who is behind the request that is being answered: in the browser or by a token."""
        request = current_request.get()
        if request is not None:
            fields.setdefault("remote_addr", request.META.get("REMOTE_ADDR") or None)
            user = getattr(request, "user", None)
            if "actor" not in fields and user is not None and user.is_authenticated:
                fields |= {"actor_id": user.pk, "actor_email": user.email}
        line: TrailEntry = super().create(**fields)
        return line

    def log_create(self, instance: Any, force_log: bool = False, **fields: Any) -> TrailEntry | None:
        line: TrailEntry | None = super().log_create(instance, force_log, **place_of(instance), **fields)
        return line

    def log_m2m_changes(self, changed: Any, instance: Any, operation: str, name: str, **fields: Any) -> Any:
        if name in ("permissions", "user_permissions"):  # by key: their own texts are in nobody's language
            changed = [f"{one.content_type.app_label}.{one.codename}" for one in changed]
        return super().log_m2m_changes(changed, instance, operation, name, **place_of(instance), **fields)


class TrailEntry(AbstractLogEntry):
    """One line: who did what to which thing, when, from where; each field from which value to which.

    It outlives everything it names: nothing that is deleted takes a line along or changes one. `object_pk` of a token
    is the part of it that everybody may see, never its digest.
    """

    class Kind(models.TextChoices):
        PERSON = "person", _("person")
        ROLE = "role", _("role")
        TOKEN = "token", _("API token")
        SHOP = "shop", _("shop")
        MEMBER = "member", _("member of a shop")
        RULE = "rule", _("reminder rule")
        DRAFT = "draft", _("draft of an appeal")
        LOGIN = "login", _("log-in")
        EXPORT = "export", _("file taken out")

    id = models.BigAutoField(primary_key=True)
    kind = models.CharField(_("kind"), max_length=8, choices=Kind)
    shop_id = models.BigIntegerField(null=True)
    content_type = models.ForeignKey(
        ContentType, null=True, on_delete=models.DO_NOTHING, db_constraint=False, related_name="+"
    )
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("who"),
        null=True,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="+",
    )
    objects = TrailManager()

    class Meta:
        verbose_name = _("line of the trail")
        verbose_name_plural = _("trail")
        default_permissions = ()  # hub.trail.reading decides who reads which lines
        ordering = ["-timestamp", "-id"]
        indexes = [
            models.Index(fields=["-timestamp", "-id"], name="trail_newest"),
            models.Index(fields=["shop_id", "-timestamp", "-id"], name="trail_of_shop"),
            models.Index(fields=["kind", "-timestamp", "-id"], name="trail_of_kind"),
        ]

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnlyError("The trail is append-only.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnlyError("The trail is append-only.")


OF_RULE = ("deadline_kind", "moment", "amount", "unit", "repeat_amount", "repeat_unit", "repeat_limit")
"""What a rule is called by: its name is a sentence, which each reader reads in their language."""

KINDS = {
    "user": TrailEntry.Kind.PERSON,
    "group": TrailEntry.Kind.ROLE,
    "apitoken": TrailEntry.Kind.TOKEN,
    "shop": TrailEntry.Kind.SHOP,
    "membership": TrailEntry.Kind.MEMBER,
    "reminderrule": TrailEntry.Kind.RULE,
    "appeal": TrailEntry.Kind.DRAFT,
}


def place_of(instance: models.Model) -> dict[str, Any]:
    """The kind of a thing, its shop, and what of its key may be seen."""
    name = str(instance._meta.model_name)
    place: dict[str, Any] = {"kind": KINDS[name]}
    if name == "apitoken":
        place |= {"object_pk": instance.token_key}  # type: ignore[attr-defined]
    if name == "reminderrule":
        place |= {"additional_data": {"rule": {field: getattr(instance, field) for field in OF_RULE}}}
    shop = instance.pk if name == "shop" else getattr(instance, "shop_id", None)
    return place | {"shop_id": shop}
