from typing import Any, NoReturn

from django.conf import settings
from django.db import models
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from appeals.models.appeal import Appeal
from marketplaces.models import EscalationStep


class AppendOnlyError(TypeError):
    """Somebody tried to change or delete what has happened."""


class EventQuerySet(models.QuerySet["Event"]):
    def standing(self) -> "EventQuerySet":
        """What holds: neither undone nor the undoing itself. Whoever decides by the timeline asks for these."""
        return self.filter(undone_by=None, undoes=None)

    def update(self, **kwargs: Any) -> NoReturn:
        raise AppendOnlyError("Events are append-only.")

    def delete(self) -> NoReturn:
        raise AppendOnlyError("Events are append-only.")


class Event(models.Model):
    """One line of an appeal's timeline. `at` is when it happened, `recorded_at` when the hub was told.

    Lines are only ever added; a draft that is deleted takes its own with it. What was undone stays, and a later line
    `undoes` it.
    """

    class Kind(models.TextChoices):
        CREATED = "created", _("created")
        EDITED = "edited", _("edited")
        SUBMITTED = "submitted", _("sent")
        REPLY = "reply", _("the marketplace replied")
        MESSAGE = "message", _("we wrote")
        ESCALATED = "escalated", _("escalated")
        RESOLVED = "resolved", _("resolved")
        REOPENED = "reopened", _("reopened")
        SNOOZED = "snoozed", _("snoozed")
        DEADLINE = "deadline", _("deadline")
        ATTACHED = "attached", _("file attached")
        REMINDED = "reminded", _("reminder sent")
        UNDONE = "undone", _("undone")
        EXPORTED = "exported", _("evidence pack taken")

    class ReplyKind(models.TextChoices):
        ACKNOWLEDGEMENT = "acknowledgement", _("acknowledgement")
        QUESTION = "question", _("question")
        BRUSH_OFF = "brush_off", _("brush-off")
        ANSWER = "answer", _("answer")

    # The moves of an appeal's life, in whose order the timeline must stay
    MOVES = (Kind.SUBMITTED, Kind.REPLY, Kind.MESSAGE, Kind.ESCALATED, Kind.RESOLVED, Kind.REOPENED)

    appeal = models.ForeignKey(Appeal, verbose_name=_("appeal"), on_delete=models.CASCADE, related_name="events")
    kind = models.CharField(_("kind"), max_length=12, choices=Kind)
    reply_kind = models.CharField(_("kind of the reply"), max_length=16, choices=ReplyKind, blank=True)
    at = models.DateTimeField(_("when"))
    recorded_at = models.DateTimeField(_("recorded"))
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("who"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    text = models.TextField(_("text"), blank=True)
    step = models.ForeignKey(
        EscalationStep, verbose_name=_("step"), null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    data = models.JSONField(_("details"), default=dict, blank=True)
    undoes = models.OneToOneField(
        "self",
        verbose_name=_("undoes"),
        null=True,
        blank=True,
        editable=False,
        on_delete=models.CASCADE,
        related_name="undone_by",
    )

    objects = EventQuerySet.as_manager()

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        ordering = ["at", "id"]
        indexes = [
            models.Index(fields=["appeal", "at", "id"], name="event_timeline"),
            models.Index(fields=["-recorded_at", "-id"], name="event_newest"),  # for hub.trail.reading
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind="reply") & ~models.Q(reply_kind="")
                | ~models.Q(kind="reply") & models.Q(reply_kind=""),
                name="event_reply_has_kind",
                violation_error_message=_("A reply, and only a reply, has a kind of reply."),
            ),
            models.CheckConstraint(
                condition=models.Q(kind="undone", undoes__isnull=False)
                | (~models.Q(kind="undone") & models.Q(undoes=None)),
                name="event_undone_names_what",
                violation_error_message=_("An undoing, and only an undoing, names what it undoes."),
            ),
        ]

    def __str__(self) -> str:
        moment = date_format(localtime(self.at), "SHORT_DATETIME_FORMAT")
        return f"№ {self.appeal_id}: {self.get_kind_display()}, {moment}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnlyError("Events are append-only.")
        super().save(*args, **kwargs)

    @property
    def is_standing(self) -> bool:
        """As `standing` of a query; a query itself where `undone_by` was not read along."""
        return self.undoes_id is None and not hasattr(self, "undone_by")


class Snapshot(models.Model):
    """What the appeal was before an event: the way back. It is kept for as long as the event may be undone.

    `before` holds the fields of the appeal that the event changed, its live clocks by number, and the reminders that
    were waiting: see `appeals.state`.
    """

    event = models.OneToOneField(Event, primary_key=True, on_delete=models.CASCADE, related_name="snapshot")
    before = models.JSONField()

    class Meta:
        verbose_name = _("way back")
        verbose_name_plural = _("ways back")

    def __str__(self) -> str:
        return str(self.event)
