from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import models
from django.utils import timezone
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from appeals.models.deadline import Deadline
from marketplaces.amounts import amount_text
from marketplaces.models import EscalationStep, Marketplace, Priority, ResponseTarget, Topic
from marketplaces.working_time import Unit as ClockUnit

_LONGEST_DAYS, _MOST_REPEATS = 3660, 366


class ReminderRule(models.Model):
    """One rung of a ladder: at which moment of a deadline of one kind who is told, and how often again.

    A rule without a marketplace, topic or priority serves all of them; where several rules of a kind fit a deadline,
    all of them do.
    """

    class Moment(models.TextChoices):
        BEFORE = "before", _("before it is due")
        AFTER = "after", _("after it was due")
        SHARE = "share", _("when this share of the term has run, %")

    class Unit(models.TextChoices):
        HOURS = "hours", _("hours")
        WORKING_HOURS = "working_hours", _("working hours")
        WORKING_DAYS = "working_days", _("working days")
        CALENDAR_DAYS = "calendar_days", _("calendar days")

    deadline_kind = models.CharField(_("deadline"), max_length=12, choices=Deadline.Kind)
    marketplace = models.ForeignKey(
        Marketplace, verbose_name=_("marketplace"), null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    topic = models.ForeignKey(
        Topic, verbose_name=_("topic"), null=True, blank=True, on_delete=models.CASCADE, related_name="+"
    )
    priority = models.CharField(_("priority"), max_length=6, choices=Priority, blank=True)
    moment = models.CharField(_("moment"), max_length=6, choices=Moment, default=Moment.AFTER)
    amount = models.PositiveIntegerField(_("amount"), default=0)
    unit = models.CharField(_("unit"), max_length=16, choices=Unit, default=Unit.HOURS)
    tell_assignee = models.BooleanField(_("tell the assignee"), default=True)
    tell_lead = models.BooleanField(_("tell the shop's lead"), default=False)
    people = models.ManyToManyField(
        settings.AUTH_USER_MODEL, verbose_name=_("tell these people"), blank=True, related_name="+"
    )
    extra_addresses = models.JSONField(_("tell these addresses"), default=list, blank=True)
    repeat_amount = models.PositiveIntegerField(_("repeat every"), default=0)
    repeat_unit = models.CharField(_("unit of repeating"), max_length=16, choices=Unit, default=Unit.WORKING_DAYS)
    repeat_limit = models.PositiveSmallIntegerField(_("times at most"), default=0)
    is_active = models.BooleanField(_("active"), default=True)
    unheard_since = models.DateTimeField(null=True, editable=False)  # saved then, and no sweep has heard of it yet

    class Meta:
        verbose_name = _("reminder rule")
        verbose_name_plural = _("reminder rules")
        ordering = ["deadline_kind", "moment", "amount", "id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(repeat_amount=0, repeat_limit=0)
                | models.Q(repeat_amount__gte=1, repeat_limit__gte=1),
                name="reminder_rule_repeat_whole",
                violation_error_message=_("Repeating needs an interval and a limit, both at least 1, or neither."),
            ),
            models.CheckConstraint(
                condition=~models.Q(moment="share") | models.Q(amount__gte=1, amount__lte=99, repeat_limit=0),
                name="reminder_rule_share_of_term",
                violation_error_message=_("A share of the term is 1 to 99 % and is not repeated."),
            ),
        ]

    def __str__(self) -> str:
        return capfirst(f"{self.get_deadline_kind_display()}: {self.when}")

    def save(self, *args: Any, **kwargs: Any) -> None:
        """The next sweep looks again at the deadlines of this ladder (`appeals.reminders`)."""
        if self.is_active:
            self.unheard_since = timezone.now()
            if (fields := kwargs.get("update_fields")) is not None:
                kwargs["update_fields"] = {*fields, "unheard_since"}
        super().save(*args, **kwargs)

    def clean(self) -> None:
        """Refuses what nobody can be told by, and a moment that no deadline ever has. See also `check_heard`."""
        super().clean()
        if self.topic and self.marketplace and self.topic.marketplace_id not in (None, self.marketplace_id):
            raise ValidationError({"topic": _("It belongs to another marketplace.")})
        try:
            self.extra_addresses = [_address(one) for one in self.extra_addresses]
        except (TypeError, ValidationError) as error:
            raise ValidationError({"extra_addresses": _("Give e-mail addresses, each on its own.")}) from error
        self._check_lengths()
        if self.moment == self.Moment.BEFORE and self.amount == 0:
            raise ValidationError({"amount": _("“Before it is due” needs an amount of at least 1.")})
        self._check_terms()

    def check_heard(self, people: Iterable[object]) -> None:
        """Refuses a rule that tells nobody. The people are given: a new rule names them only once it is saved."""
        if not (self.tell_assignee or self.tell_lead or self.extra_addresses or list(people)):
            raise ValidationError(_("This rule tells nobody. Name at least one person or address."))

    @property
    def when(self) -> str:
        """Its moments in words: "1 working day after it was due, then 5 more times with 2 working days between"."""
        first = self._first
        if not self.repeat_limit:
            return first
        again = ngettext(
            "%(first)s, then %(count)d more time after %(pause)s",
            "%(first)s, then %(count)d more times with %(pause)s between",
            self.repeat_limit,
        )
        pause = amount_text(self.repeat_amount, self.repeat_unit)
        return again % {"first": first, "count": self.repeat_limit, "pause": pause}

    @property
    def _first(self) -> str:
        if self.moment == self.Moment.SHARE:
            return _("when %(percent)d%% of the term has run") % {"percent": self.amount}
        if self.moment == self.Moment.AFTER and self.amount == 0:
            return str(_("when the term runs out"))
        amount = {"amount": amount_text(self.amount, self.unit)}
        before = self.moment == self.Moment.BEFORE
        return (_("%(amount)s before it is due") if before else _("%(amount)s after it was due")) % amount

    def _check_lengths(self) -> None:
        """Refuses what no calendar reaches: one such rule would hold up every deadline of its ladder."""
        too_long = _("Ten years at most.")
        if _in_days(self.amount, self.unit) > _LONGEST_DAYS:
            raise ValidationError({"amount": too_long})
        if self.repeat_limit > _MOST_REPEATS:
            text = _("At most %(limit)d times.") % {"limit": _MOST_REPEATS}
            raise ValidationError({"repeat_limit": text})
        if _in_days(self.repeat_amount * self.repeat_limit, self.repeat_unit) > _LONGEST_DAYS:
            raise ValidationError({"repeat_amount": too_long})

    def _check_terms(self) -> None:
        """Refuses a ladder that could never fire: nothing is promised there, or every term is too short for it."""
        terms = [_at_most(amount, unit) for amount, unit in self._terms()]
        if not terms and self._place:
            raise ValidationError(
                _("This could never fire: the directory knows no such term for %(marketplace)s."),
                params={"marketplace": self._place},
            )
        if terms and self.moment == self.Moment.BEFORE and max(terms) <= _at_least(self.amount, self.unit):
            raise ValidationError(
                {"amount": _("This could never fire: no term that it speaks of is longer than that.")}
            )

    @property
    def _place(self) -> Marketplace | None:
        """The only marketplace whose deadlines it can be for: a topic names one, too."""
        return self.marketplace or (self.topic.marketplace if self.topic else None)

    def _terms(self) -> list[tuple[int, str]]:
        """Amount and unit of every term that a deadline of this ladder can have."""
        place = {"marketplace": self._place} if self._place else {}
        if self.deadline_kind == Deadline.Kind.ESCALATION:
            steps = EscalationStep.objects.filter(retired_at=None, **place)
            return [(step.term_amount, step.term_unit) for step in steps if step.term_amount]
        targets = ResponseTarget.objects.filter(retired_at=None, kind=self.deadline_kind, **place)
        if self.topic:
            targets = targets.filter(models.Q(topic=None) | models.Q(topic=self.topic))
        if self.priority:
            targets = targets.filter(priority__in=["", self.priority])
        return [(target.amount, target.unit) for target in targets]


def _address(value: str) -> str:
    address = value.strip().lower()
    validate_email(address)
    return address


def _at_most(amount: int, unit: str) -> timedelta:
    """No term of this kind is longer: working time is taken as one hour a day, holidays as two weeks in a row."""
    if unit in (ClockUnit.MINUTES, ClockUnit.HOURS):
        return amount * (timedelta(minutes=1) if unit == ClockUnit.MINUTES else timedelta(hours=1))
    days = amount if unit != ClockUnit.WORKING_MINUTES else amount / 60
    return timedelta(days=days * 2 + 15)


def _at_least(amount: int, unit: str) -> timedelta:
    """No moment before the due time is nearer to it."""
    return timedelta(days=_in_days(amount, unit))


def _in_days(amount: int, unit: str) -> float:
    """Working time as if it ran round the clock."""
    return amount / 24 if unit in (ReminderRule.Unit.HOURS, ReminderRule.Unit.WORKING_HOURS) else amount
