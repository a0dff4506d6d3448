from datetime import datetime, timedelta

from django.db import models
from django.utils.translation import gettext_lazy as _

from appeals.models.appeal import Appeal
from marketplaces.amounts import amount_text
from marketplaces.models import EscalationStep, ResponseTarget
from marketplaces.working_time import Clock, Unit, clock


class DeadlineQuerySet(models.QuerySet["Deadline"]):
    def live(self) -> "DeadlineQuerySet":
        return self.filter(state__in=Deadline.LIVE)

    def running(self) -> "DeadlineQuerySet":
        return self.filter(state=Deadline.State.RUNNING)


class Deadline(models.Model):
    """One clock of an appeal, with a copy of the promise, the hours, the zone and the calendar that it counts by.

    It is late when it runs and `due_at` has passed: no job makes it so. `pauses` holds the pauses that ended, as
    [from, to] in ISO 8601; `paused_at` is the pause that lasts. While it is paused, `due_at` is the due time that
    held before the pause. `remind_at` is when somebody must be told of it next; the rungs of its ladder
    up to `told_until` have been told or are not to be told.
    """

    class Kind(models.TextChoices):
        FIRST_REPLY = "first_reply", _("first reply")
        ANSWER = "answer", _("answer")
        OUR_REPLY = "our_reply", _("our reply")
        ESCALATION = "escalation", _("escalation")

    class State(models.TextChoices):
        RUNNING = "running", _("running")
        PAUSED = "paused", _("paused")
        MET = "met", _("met")
        MISSED = "missed", _("missed")
        CANCELLED = "cancelled", _("cancelled")

    LIVE = (State.RUNNING, State.PAUSED)

    appeal = models.ForeignKey(Appeal, verbose_name=_("appeal"), on_delete=models.CASCADE, related_name="deadlines")
    kind = models.CharField(_("kind"), max_length=12, choices=Kind)
    state = models.CharField(_("state"), max_length=9, choices=State, default=State.RUNNING)
    started_at = models.DateTimeField(_("since"))
    due_at = models.DateTimeField(_("due"))
    paused_at = models.DateTimeField(_("paused since"), null=True, blank=True)
    pauses = models.JSONField(_("pauses"), default=list, blank=True)
    met_at = models.DateTimeField(_("met"), null=True, blank=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    remind_at = models.DateTimeField(_("next reminder"), null=True, blank=True)
    told_until = models.DateTimeField(_("told until"), null=True, blank=True)

    target = models.ForeignKey(
        ResponseTarget, verbose_name=_("target"), null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    step = models.ForeignKey(
        EscalationStep, verbose_name=_("step"), null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    amount = models.PositiveIntegerField(_("amount"))
    unit = models.CharField(_("unit"), max_length=16, choices=Unit)
    opening_hours = models.CharField(_("opening hours"), max_length=255)
    time_zone = models.CharField(_("time zone"), max_length=64)
    country = models.CharField(_("country"), max_length=2)
    source = models.CharField(_("source"), max_length=200, blank=True)

    objects = DeadlineQuerySet.as_manager()

    class Meta:
        verbose_name = _("deadline")
        verbose_name_plural = _("deadlines")
        ordering = ["started_at", "id"]
        indexes = [
            # how promises were kept of late, counted by the home page (appeals.admin.home)
            models.Index(fields=["ended_at", "kind", "state", "appeal"], name="deadline_ended"),
            # polled by appeals.reminders.sweep
            models.Index(
                fields=["remind_at", "id"],
                condition=models.Q(state="running", remind_at__isnull=False),
                name="deadline_sweep",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["appeal", "kind"],
                condition=models.Q(state__in=["running", "paused"]),
                name="deadline_one_live_of_a_kind",
                violation_error_message=_("An appeal has at most one live deadline of each kind."),
            ),
            models.CheckConstraint(
                condition=models.Q(state="paused", paused_at__isnull=False)
                | (~models.Q(state="paused") & models.Q(paused_at=None)),
                name="deadline_paused_since",
                violation_error_message=_("A deadline has a beginning of its pause exactly while it is paused."),
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["running", "paused"], ended_at=None)
                | (~models.Q(state__in=["running", "paused"]) & models.Q(ended_at__isnull=False)),
                name="deadline_ended_at",
                violation_error_message=_("A deadline has an end exactly when it has ended."),
            ),
            models.CheckConstraint(
                condition=models.Q(met_at=None) | models.Q(state__in=["met", "missed"]),
                name="deadline_met_at",
                violation_error_message=_("Only a deadline that was met, in time or late, has the time of it."),
            ),
            models.CheckConstraint(condition=models.Q(amount__gte=1), name="deadline_amount_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, {amount_text(self.amount, self.unit)}"

    @property
    def clock(self) -> Clock:
        return clock(self.opening_hours, self.time_zone, self.country)

    @property
    def is_live(self) -> bool:
        return self.state in self.LIVE

    def is_late(self, now: datetime) -> bool:
        return self.state == self.State.RUNNING and self.due_at < now

    def overdue_by(self, now: datetime) -> timedelta | None:
        """How long it is late at `now`, or was late when it ended or was paused; None when it was not."""
        end = self.ended_at or self.paused_at or now
        late = end - self.due_at
        return late if late > timedelta(0) and self.state != self.State.CANCELLED else None
