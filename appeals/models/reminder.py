from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from appeals.models.deadline import Deadline
from appeals.models.reminder_rule import ReminderRule


class Reminder(models.Model):
    """One message to one person about one rung of one deadline's ladder.

    The key (deadline, its due time, rule, repetition, address) is unique: however often the sweep runs, a rung is
    told once. `rung_at` is when the rung fell due, `send_after` the earliest moment to tell of it: the person's next
    working hour, or the next try. `leased_until` is the claim of the worker that sends it; `message_id` is written
    with the claim, so that whoever sends after a crash sends the same message. A failed reminder with no address is a
    rung for which there was nobody to tell.
    """

    class State(models.TextChoices):
        PENDING = "pending", _("waiting to be sent")
        SENT = "sent", _("sent")
        SUPERSEDED = "superseded", _("superseded by a later one")
        CANCELLED = "cancelled", _("cancelled")
        FAILED = "failed", _("failed")

    class Role(models.TextChoices):
        """What makes this person one to be told."""

        ASSIGNEE = "assignee", _("assignee")
        LEAD = "lead", _("lead of the shop")
        ADMINISTRATOR = "administrator", _("administrator")
        NAMED = "named", _("named in the rule")
        ADDRESS = "address", _("address in the rule")
        NOBODY = "nobody", _("nobody")

    class Reason(models.TextChoices):
        """Why it ended as it did, or why it waits."""

        LATER_RUNG = "later_rung", _("a later reminder of the same deadline took its place")
        ENDED = "ended", _("the deadline had ended")
        PAUSED = "paused", _("the deadline was paused: it was our turn")
        MOVED = "moved", _("the due time had moved")
        RULE_OFF = "rule_off", _("the rule was switched off or deleted")
        NOT_THEIRS = "not_theirs", _("it was no longer this person's to know")
        NOBODY = "nobody", _("there was nobody to tell: no assignee, no lead, no administrator")
        REFUSED = "refused", _("the mail server refused the address")
        TRYING = "trying", _("the mail could not be handed over yet")
        GAVE_UP = "gave_up", _("the mail could not be handed over for two days")
        INSTEAD = "instead", _("told instead of somebody whom mail does not reach")

    deadline = models.ForeignKey(
        Deadline, verbose_name=_("deadline"), on_delete=models.CASCADE, related_name="reminders", db_index=False
    )
    due_at = models.DateTimeField(_("due time it tells of"))
    rule = models.ForeignKey(
        ReminderRule,
        verbose_name=_("rule"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="reminders",
        db_index=False,
    )
    repetition = models.PositiveSmallIntegerField(_("repetition"), default=0)
    level = models.PositiveSmallIntegerField(_("level"), default=1)
    rung_at = models.DateTimeField(_("fell due"))
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("person"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="reminders",
    )
    role = models.CharField(_("told as"), max_length=13, choices=Role)
    address = models.EmailField(_("address"), blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.PENDING)
    reason = models.CharField(_("reason"), max_length=10, choices=Reason, blank=True)
    detail = models.TextField(_("details"), blank=True)
    created_at = models.DateTimeField(_("found"))
    send_after = models.DateTimeField(_("not before"))
    leased_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    first_tried_at = models.DateTimeField(_("first attempt"), null=True, blank=True)
    resends = models.PositiveSmallIntegerField(_("sent again"), default=0)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    message_id = models.CharField(_("Message-ID"), max_length=255, blank=True)

    class Meta:
        verbose_name = _("reminder")
        verbose_name_plural = _("reminders")
        ordering = ["-created_at", "-id"]
        indexes = [
            # polled by appeals.reminders.deliver: who has something to be told
            models.Index(fields=["send_after", "id"], condition=models.Q(state="pending"), name="reminder_pending"),
            # claimed by appeals.reminders.deliver: all that waits for one address
            models.Index(fields=["address", "id"], condition=models.Q(state="pending"), name="reminder_claim"),
            models.Index(fields=["-created_at", "-id"], name="reminder_created"),
        ]
        constraints = [
            # its index also finds the reminders of a deadline
            models.UniqueConstraint(
                fields=["deadline", "due_at", "rule", "repetition", "address"],
                name="reminder_once",
                violation_error_message=_("This person was told of this already."),
            ),
            models.CheckConstraint(
                condition=models.Q(state="sent", sent_at__isnull=False)
                | (~models.Q(state="sent") & models.Q(sent_at=None)),
                name="reminder_sent_at",
                violation_error_message=_("A reminder has the time of sending exactly when it was sent."),
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=["pending", "sent"]) | ~models.Q(reason=""),
                name="reminder_ends_with_reason",
                violation_error_message=_("A reminder that is not sent says why."),
            ),
            models.CheckConstraint(
                condition=~models.Q(address="") | models.Q(state="failed"),
                name="reminder_has_address",
                violation_error_message=_("A reminder without an address has failed."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.deadline}: {self.address}"


class RefusedAddress(models.Model):
    """An address that a mail server refused for good: nothing is sent there until somebody takes the mark away."""

    address = models.EmailField(_("address"), primary_key=True)
    reason = models.TextField(_("what the server said"))
    at = models.DateTimeField(_("when"))

    class Meta:
        verbose_name = _("refused address")
        verbose_name_plural = _("refused addresses")
        ordering = ["-at"]

    def __str__(self) -> str:
        return self.address


class Heartbeat(models.Model):
    """When a periodic job last ran to its end."""

    name = models.CharField(_("name"), max_length=40, primary_key=True)
    at = models.DateTimeField(_("when"))

    class Meta:
        verbose_name = _("heartbeat")
        verbose_name_plural = _("heartbeats")

    def __str__(self) -> str:
        return f"{self.name}: {self.at:%Y-%m-%d %H:%M:%S}"
