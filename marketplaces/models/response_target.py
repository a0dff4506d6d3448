from typing import Self

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from marketplaces.amounts import amount_text
from marketplaces.models.channel import Channel, check_countable
from marketplaces.models.directory_row import DirectoryRow, Priority, key_unique
from marketplaces.models.marketplace import Marketplace
from marketplaces.models.topic import Topic
from marketplaces.working_time import Unit

ATTRIBUTES = ("topic_id", "channel_id", "priority", "is_complex")


class ResponseTarget(DirectoryRow):
    """A promise: how long an answer of one kind may take. What it does not name it does not ask for."""

    class Kind(models.TextChoices):
        FIRST_REPLY = "first_reply", _("first reply")
        ANSWER = "answer", _("answer")
        OUR_REPLY = "our_reply", _("our reply")

    marketplace = models.ForeignKey(
        Marketplace, verbose_name=_("marketplace"), on_delete=models.PROTECT, related_name="response_targets"
    )
    kind = models.CharField(_("kind"), max_length=12, choices=Kind)
    topic = models.ForeignKey(
        Topic,
        verbose_name=_("topic"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="response_targets",
    )
    channel = models.ForeignKey(
        Channel,
        verbose_name=_("channel"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="response_targets",
    )
    priority = models.CharField(_("priority"), max_length=6, choices=Priority, blank=True)
    is_complex = models.BooleanField(_("complex case"), null=True, blank=True)
    amount = models.PositiveIntegerField(_("amount"), validators=[MinValueValidator(1)])
    unit = models.CharField(_("unit"), max_length=16, choices=Unit)
    note = models.TextField(_("note"), blank=True)
    note_en = models.TextField(_("note in English"), blank=True)

    class Meta:
        verbose_name = _("response target")
        verbose_name_plural = _("response targets")
        ordering = ["marketplace", "kind", "id"]
        constraints = [
            key_unique("response_target_key_unique", "marketplace"),
            models.CheckConstraint(
                condition=models.Q(amount__gte=1),
                name="response_target_amount_positive",
                violation_error_message=_("A target is at least 1."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.marketplace}, {self.get_kind_display()}: {amount_text(self.amount, self.unit)}"

    @property
    def named(self) -> dict[str, object]:
        """The attributes that it names, with their values."""
        values = {name: getattr(self, name) for name in ATTRIBUTES}
        return {name: value for name, value in values.items() if value not in (None, "")}

    def ties_with(self, other: Self, others: list[Self]) -> bool:
        """Whether some appeal would match both, with no more specific target (of `others`) to decide."""
        if len(self.named) != len(other.named):
            return False
        union = self.named | other.named
        if any(union[name] != value for name, value in self.named.items()):
            return False
        return not any(len(third.named) > len(self.named) and third.named.items() <= union.items() for third in others)

    def clean(self) -> None:
        """Refuses a target of another marketplace's topic or channel, and one that ties with another."""
        super().clean()
        for name, part in (("topic", self.topic), ("channel", self.channel)):
            if part and part.marketplace_id not in (None, self.marketplace_id):
                raise ValidationError({name: _("It belongs to another marketplace.")})
        self._check_countable()
        others = list(
            ResponseTarget.objects.filter(marketplace=self.marketplace_id, kind=self.kind, retired_at=None).exclude(
                pk=self.pk
            )
        )
        for other in others:
            if self.ties_with(other, others):
                raise ValidationError(
                    _("“%(this)s” and “%(other)s” would both fit one appeal. Name one more attribute in one of them."),
                    params={"this": self, "other": other},
                )

    def _check_countable(self) -> None:
        """Refuses a promise that no clock can count: too long, or in hours of a channel that nobody knows."""
        if self.unit in (Unit.WORKING_HOURS, Unit.WORKING_MINUTES) and self.channel and not self.channel.opening_hours:
            raise ValidationError({"unit": _("The opening hours of this channel are not known: enter them first.")})
        check_countable(self, "amount", self.amount, self.unit)
