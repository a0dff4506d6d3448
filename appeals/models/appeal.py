from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models.functions import Coalesce, StrIndex
from django.db.models.lookups import GreaterThan
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from appeals.models.shop import Shop
from marketplaces.models import Channel, Marketplace, Priority, Topic

if TYPE_CHECKING:
    from hub.models import User

MAX_NUMBERS = 1000
MAX_WORDS = 50
TRIGRAM = 3
_PARTS = re.compile(r"[^\W_]+")
_OWN = re.compile(r"[№#]\s*(\d{1,18})")
_SIGN = re.compile(r"[№#](?=\s*\d)")


class AppealQuerySet(models.QuerySet["Appeal"]):
    def visible_to(self, user: User | AnonymousUser) -> AppealQuerySet:
        return self.filter(shop__in=Shop.objects.visible_to(user))

    def open(self) -> AppealQuerySet:
        return self.filter(status__in=[Appeal.Status.WAITING, Appeal.Status.OUR_TURN])

    def overdue(self, now: datetime) -> AppealQuerySet:
        """Appeals of which some running deadline is late at `now`."""
        return self.filter(next_due_at__lt=now)

    def at_stake(self) -> Decimal:
        """Money at stake in these appeals, each matter once: the most that one of its appeals says."""
        matters = self.order_by().annotate(one=Coalesce("matter", "pk")).values("one")
        each = matters.annotate(stake=models.Max("amount_at_stake"))
        return each.aggregate(total=models.Sum("stake"))["total"] or Decimal(0)

    def search(self, text: str) -> AppealQuerySet:
        """Every word of `text` stands in the subject, the body or a number; in any case, Cyrillic too.

        Of a longer text the first words count: a database takes only so many conditions. “№ 46” is the appeal that
        people see under that number, if there is one; otherwise the sign says only that a number follows.
        """
        if (own := _OWN.fullmatch(text.strip())) and self.filter(pk=own[1]).exists():
            return self.filter(pk=own[1])
        found = self
        for word in list(dict.fromkeys(_SIGN.sub(" ", text.casefold()).split()))[:MAX_WORDS]:
            found = found.filter(*_holds(word))
        return found


def _holds(word: str) -> list[Any]:
    """That the word stands in the text. Of one with signs inside, the index is asked for the longest part alone: the
    trigrams at its edges are in nearly every text, and walking through their lists takes longer than all the rest."""
    part = max(_PARTS.findall(word), key=len, default="")
    if len(part) < TRIGRAM or part == word:
        return [models.Q(search_text__contains=word)]
    return [models.Q(search_text__contains=part), GreaterThan(StrIndex("search_text", models.Value(word)), 0)]


class Appeal(models.Model):
    """One request that we send to a marketplace's support.

    Only `appeals.lifecycle` writes its state. `next_due_at` is the earliest due time of its running deadlines: it is
    written with them and serves lists and filters.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", _("draft")
        WAITING = "waiting", _("waiting for the marketplace")
        OUR_TURN = "our_turn", _("our turn")
        RESOLVED = "resolved", _("resolved")

    class Turn(models.TextChoices):
        MARKETPLACE = "marketplace", _("the marketplace")
        US = "us", _("we")
        NOBODY = "nobody", _("nobody")

    class Outcome(models.TextChoices):
        GRANTED = "granted", _("granted")
        PARTLY_GRANTED = "partly_granted", _("partly granted")
        REFUSED = "refused", _("refused")
        IGNORED = "ignored", _("ignored")
        WITHDRAWN = "withdrawn", _("withdrawn")

    TURNS = {
        Status.DRAFT: Turn.NOBODY,
        Status.WAITING: Turn.MARKETPLACE,
        Status.OUR_TURN: Turn.US,
        Status.RESOLVED: Turn.NOBODY,
    }

    shop = models.ForeignKey(Shop, verbose_name=_("shop"), on_delete=models.PROTECT, related_name="appeals")
    topic = models.ForeignKey(
        Topic, verbose_name=_("topic"), null=True, blank=True, on_delete=models.PROTECT, related_name="appeals"
    )
    channel = models.ForeignKey(
        Channel, verbose_name=_("channel"), null=True, blank=True, on_delete=models.PROTECT, related_name="appeals"
    )
    priority = models.CharField(_("priority"), max_length=6, choices=Priority, default=Priority.NORMAL)
    is_complex = models.BooleanField(_("complex case"), default=False)
    subject = models.CharField(_("subject"), max_length=300)
    body = models.TextField(_("text"), blank=True, max_length=100_000)
    desired_outcome = models.TextField(_("desired outcome"), blank=True, max_length=5_000)
    order_numbers = models.JSONField(_("order numbers"), default=list, blank=True)
    product_codes = models.JSONField(_("product codes"), default=list, blank=True)
    amount_at_stake = models.DecimalField(
        _("money at stake, roubles"),
        max_digits=14,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0))],
    )
    external_number = models.CharField(_("number at the marketplace"), max_length=100, blank=True)
    client_reference = models.CharField(_("reference of the other program"), max_length=200, blank=True)
    previous = models.ForeignKey(
        "self", verbose_name=_("earlier appeal"), null=True, blank=True, on_delete=models.PROTECT, related_name="next"
    )
    # The first appeal of the matter that this one continues; empty on the first one. Written by appeals.chain
    matter = models.ForeignKey(
        "self",
        verbose_name=_("first appeal of the matter"),
        null=True,
        blank=True,
        editable=False,
        on_delete=models.PROTECT,
        related_name="continued_by",
        db_index=False,
    )
    incident = models.ForeignKey(
        "appeals.Incident",
        verbose_name=_("incident"),
        null=True,
        blank=True,
        editable=False,
        on_delete=models.PROTECT,
        related_name="appeals",
        db_index=False,
    )
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("assignee"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="assigned_appeals",
    )

    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.DRAFT, editable=False)
    outcome = models.CharField(_("outcome"), max_length=15, choices=Outcome, blank=True, editable=False)
    amount_recovered = models.DecimalField(
        _("money recovered, roubles"),
        max_digits=14,
        decimal_places=2,
        null=True,
        blank=True,
        editable=False,
        validators=[MinValueValidator(Decimal(0))],
    )
    snoozed_until = models.DateTimeField(_("no reminders until"), null=True, blank=True, editable=False)
    next_due_at = models.DateTimeField(_("due"), null=True, blank=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("created by"),
        null=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    created_at = models.DateTimeField(_("created"), editable=False)
    submitted_at = models.DateTimeField(_("sent"), null=True, blank=True, editable=False)
    resolved_at = models.DateTimeField(_("resolved"), null=True, blank=True, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    search_text = models.TextField(editable=False, default="")

    objects = AppealQuerySet.as_manager()

    class Meta:
        verbose_name = _("appeal")
        verbose_name_plural = _("appeals")
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["shop", "-created_at", "-id"], name="appeal_shop_created"),
            models.Index(fields=["-created_at", "-id"], name="appeal_created"),
            models.Index(fields=["submitted_at", "id"], name="appeal_submitted"),
            # lists by urgency and the `overdue` filter
            models.Index(
                fields=["next_due_at", "id"], condition=models.Q(next_due_at__isnull=False), name="appeal_next_due"
            ),
            models.Index(
                fields=["external_number"], condition=~models.Q(external_number=""), name="appeal_external_number"
            ),
            models.Index(fields=["assignee", "status"], name="appeal_assignee_status"),
            # lists by money; on PostgreSQL a migration adds two more, for `search` and for `order_number`
            models.Index(
                fields=["amount_at_stake", "id"],
                condition=models.Q(amount_at_stake__isnull=False),
                name="appeal_stake",
            ),
            # few appeals continue another or belong to an incident: appeals.chain, the page of an incident
            models.Index(fields=["matter"], condition=models.Q(matter__isnull=False), name="appeal_matter"),
            models.Index(
                fields=["incident", "shop"], condition=models.Q(incident__isnull=False), name="appeal_incident"
            ),
            # counted by the menu and listed by the home page (appeals.admin.needs): the few that are not resolved
            models.Index(fields=["status", "next_due_at", "shop"], name="appeal_needs"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(status="draft", submitted_at=None)
                | (~models.Q(status="draft") & models.Q(submitted_at__isnull=False)),
                name="appeal_sent_unless_draft",
                violation_error_message=_("An appeal that was sent has the time when it was sent."),
            ),
            models.CheckConstraint(
                condition=(models.Q(status="resolved", resolved_at__isnull=False) & ~models.Q(outcome=""))
                | (~models.Q(status="resolved") & models.Q(resolved_at=None, outcome="")),
                name="appeal_outcome_when_resolved",
                violation_error_message=_("An appeal has an outcome exactly when it is resolved."),
            ),
            models.CheckConstraint(
                condition=models.Q(next_due_at=None) | models.Q(status__in=["waiting", "our_turn"]),
                name="appeal_due_only_while_open",
                violation_error_message=_("Only an open appeal can be due."),
            ),
            models.CheckConstraint(
                condition=models.Q(amount_at_stake=None) | models.Q(amount_at_stake__gte=0),
                name="appeal_stake_not_negative",
                violation_error_message=_("Money at stake cannot be negative."),
            ),
            models.CheckConstraint(
                condition=models.Q(amount_recovered=None) | models.Q(amount_recovered__gte=0),
                name="appeal_recovered_not_negative",
                violation_error_message=_("Money recovered cannot be negative."),
            ),
        ]

    def __str__(self) -> str:
        return f"№ {self.pk}: {self.subject}" if self.pk else self.subject

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.search_text = self.searchable()
        super().save(*args, **kwargs)

    def get_absolute_url(self) -> str:
        return reverse("admin:appeals_appeal_change", args=[self.pk])

    def clean(self) -> None:
        """Refuses a topic, a channel or an earlier appeal that belongs to another marketplace or team."""
        super().clean()
        errors = {
            name: _("A list of numbers is expected, each of 1 to 100 characters, 1000 at most.")
            for name in ("order_numbers", "product_codes")
            if not _is_number_list(getattr(self, name))
        }
        if self.shop_id:
            errors |= self._foreign_parts(self.shop)
        if errors:
            raise ValidationError(errors)

    def _foreign_parts(self, shop: Shop) -> dict[str, Any]:
        errors: dict[str, Any] = {}
        for name, part in (("topic", self.topic), ("channel", self.channel)):
            if part and part.marketplace_id not in (None, shop.marketplace_id):
                errors[name] = _("It belongs to another marketplace than the shop.")
        if self.previous and (self.previous.shop_id != shop.pk or self.previous_id == self.pk):
            errors["previous"] = _("The earlier appeal must be another one of the same shop.")
        return errors

    def check_assignee(self) -> None:
        """For whoever assigns: somebody who left the shop later stands in no one's way."""
        if self.assignee and not Shop.objects.one_visible_to(self.assignee, self.shop_id):
            raise ValidationError({"assignee": _("Only a member of the shop can be assigned.")})

    def searchable(self) -> str:
        """What a search looks through; whoever writes rows without `save` sets it."""
        parts = [self.subject, self.body, self.external_number, *self.order_numbers, *self.product_codes]
        return "\n".join(part for part in parts if part).casefold()

    @property
    def marketplace(self) -> Marketplace:
        return self.shop.marketplace

    @property
    def marketplace_id(self) -> int:
        return self.shop.marketplace_id

    @property
    def turn(self) -> Turn:
        """Whose move it is."""
        return self.TURNS[self.Status(self.status)]

    def overdue_by(self, now: datetime) -> timedelta | None:
        """How long its earliest running deadline is late at `now`; None when none is."""
        return now - self.next_due_at if self.next_due_at and self.next_due_at < now else None


def _is_number_list(value: object) -> bool:
    return (
        isinstance(value, list)
        and len(value) <= MAX_NUMBERS
        and all(isinstance(number, str) and 0 < len(number.strip()) <= 100 for number in value)
    )
