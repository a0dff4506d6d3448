from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from marketplaces.models.directory_row import Audience, DirectoryRow, State, key_unique
from marketplaces.models.marketplace import Marketplace
from marketplaces.opening_hours import OpeningHours, opening_hours
from marketplaces.validators import MAIL, validate_opening_hours, validate_time_zone
from marketplaces.working_time import Clock, Unit, clock

ROUND_THE_CLOCK = "24/7"


class ChannelQuerySet(models.QuerySet["Channel"]):
    def current(self) -> "ChannelQuerySet":
        """All but the retired: what the directory shows."""
        return self.filter(retired_at=None)

    def usable_by_sellers(self) -> "ChannelQuerySet":
        """Channels an appeal may be sent through: not dead or historic, and not for buyers alone."""
        return (
            self.current()
            .filter(audience__in=[Audience.SELLERS, Audience.BOTH])
            .exclude(state__in=[State.DEAD, State.HISTORIC])
        )


class Channel(DirectoryRow):
    """One way to reach a marketplace's support. Empty opening hours mean that nobody knows them."""

    class Kind(models.TextChoices):
        CHAT = "chat", _("chat")
        TICKET_FORM = "ticket_form", _("ticket form")
        EMAIL = "email", _("e-mail")
        PHONE = "phone", _("phone")
        MOBILE_APP = "mobile_app", _("mobile app")
        MESSENGER = "messenger", _("messenger")
        SOCIAL_NETWORK = "social_network", _("social network")
        TELEGRAM = "telegram", _("Telegram")
        POST = "post", _("post")
        HOTLINE = "hotline", _("hotline")
        HELP_CENTRE = "help_centre", _("help centre")
        PUBLIC_POST = "public_post", _("public post")

    marketplace = models.ForeignKey(
        Marketplace, verbose_name=_("marketplace"), on_delete=models.PROTECT, related_name="channels"
    )
    kind = models.CharField(_("kind"), max_length=20, choices=Kind)
    name = models.CharField(_("name"), max_length=200)
    name_en = models.CharField(_("name in English"), max_length=200, blank=True)
    address = models.CharField(_("address"), max_length=500, blank=True)
    instructions = models.TextField(_("how to use it"), blank=True)
    instructions_en = models.TextField(_("how to use it, in English"), blank=True)
    audience = models.CharField(_("audience"), max_length=10, choices=Audience, default=Audience.SELLERS)
    opening_hours = models.CharField(
        _("opening hours"),
        max_length=255,
        blank=True,
        default=ROUND_THE_CLOCK,
        validators=[validate_opening_hours],
        help_text=_("An opening_hours expression, for example Mo-Fr 09:00-18:00; PH off. Empty: nobody knows."),
    )
    time_zone = models.CharField(
        _("time zone"),
        max_length=64,
        blank=True,
        validators=[validate_time_zone],
        help_text=_("Empty: the zone of the marketplace."),
    )
    needs_login = models.BooleanField(_("needs the seller account"), default=False)
    works_without_account = models.BooleanField(_("works when the account is lost"), default=False)
    state = models.CharField(_("state"), max_length=12, choices=State, default=State.UNCONFIRMED)
    state_reason = models.TextField(_("why this state"), blank=True)
    state_reason_en = models.TextField(_("why this state, in English"), blank=True)
    remarks = models.TextField(_("what others say of it"), blank=True)
    remarks_en = models.TextField(_("what others say of it, in English"), blank=True)
    first_reply_typical = models.DurationField(_("usual first reply"), null=True, blank=True)
    first_reply_worst = models.DurationField(_("slowest first reply"), null=True, blank=True)
    topics = models.ManyToManyField(
        "marketplaces.Topic",
        verbose_name=_("made for the topics"),
        blank=True,
        related_name="channels",
        help_text=_("Empty: for any topic."),
    )
    contradicts = models.ForeignKey(
        "self",
        verbose_name=_("contradicts"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="contradicted_by",
        help_text=_("The channel that is believed instead, where sources give different addresses for one channel."),
    )
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    objects = ChannelQuerySet.as_manager()

    class Meta:
        verbose_name = _("channel")
        verbose_name_plural = _("channels")
        ordering = ["marketplace", "position", "id"]
        constraints = [
            key_unique("channel_key_unique", "marketplace"),
            models.CheckConstraint(
                condition=models.Q(needs_login=False) | models.Q(works_without_account=False),
                name="channel_login_or_without_account",
                violation_error_message=_("A channel that needs the account cannot work when the account is lost."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.marketplace}: {self.text('name')}"

    def clean(self) -> None:
        super().clean()
        self.time_zone = self.time_zone or (self.marketplace.time_zone if self.marketplace_id else "")
        if self.kind == self.Kind.EMAIL and self.address and not MAIL.fullmatch(self.address):
            raise ValidationError({"address": _("This is no e-mail address. An example: help@example.com.")})

    @property
    def zone(self) -> str:
        return self.time_zone or self.marketplace.time_zone

    @property
    def hours(self) -> OpeningHours | None:
        """The opening hours to ask "is it open?"; None where nobody knows them."""
        if not self.opening_hours:
            return None
        return opening_hours(self.opening_hours, self.zone, self.marketplace.country)

    @property
    def clock(self) -> Clock:
        """What counts this channel's promises. Unknown hours count round the clock: the earliest due time."""
        return clock(self.opening_hours or ROUND_THE_CLOCK, self.zone, self.marketplace.country)

    def is_open(self, at: datetime) -> bool | None:
        return self.hours.is_open(at) if self.hours else None


def check_countable(row: Any, field: str, amount: int | None, unit: str) -> None:
    """ValidationError on `field` for a term of the row's channel and marketplace that no clock can count."""
    if not (row.marketplace_id and amount and unit in Unit.values):
        return
    place = row.marketplace
    ticking = row.channel.clock if row.channel else clock(ROUND_THE_CLOCK, place.time_zone, place.country)
    try:
        ticking.add(timezone.now(), amount, Unit(unit))
    except ValueError as error:
        raise ValidationError({field: str(error)}) from error
