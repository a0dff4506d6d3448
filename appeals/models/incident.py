from __future__ import annotations

from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ValidationError
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from appeals.models.appeal import Appeal
from marketplaces.calendars import covers

if TYPE_CHECKING:
    from hub.models import User


class IncidentQuerySet(models.QuerySet["Incident"]):
    def visible_to(self, user: User | AnonymousUser) -> IncidentQuerySet:
        """Those that hold an appeal which `user` sees; of the others' appeals in them nothing is shown."""
        theirs = Appeal.objects.visible_to(user).filter(incident=models.OuterRef("pk"))
        return self.filter(models.Exists(theirs))


class Incident(models.Model):
    """One fault that hits many orders or shops: many appeals made from one text, each with its own numbers.

    Which marketplaces and shops it hits is told by its appeals. `subject` and `body` are the templates that the
    last batch was written from.
    """

    title = models.CharField(_("title"), max_length=200)
    description = models.TextField(_("description"), blank=True, max_length=10_000)
    began_at = models.DateTimeField(_("began"), null=True, blank=True)
    ended_at = models.DateTimeField(_("over since"), null=True, blank=True)
    subject = models.CharField(_("subject"), max_length=300, editable=False)
    body = models.TextField(_("text"), max_length=100_000, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("created by"),
        null=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    created_at = models.DateTimeField(_("created"), editable=False)

    objects = IncidentQuerySet.as_manager()

    class Meta:
        verbose_name = _("incident")
        verbose_name_plural = _("incidents")
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(began_at=None)
                | models.Q(ended_at=None)
                | models.Q(ended_at__gte=models.F("began_at")),
                name="incident_ends_after_it_began",
                violation_error_message=_("An incident cannot be over before it began."),
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("admin:appeals_incident_change", args=[self.pk])

    def clean(self) -> None:
        super().clean()
        given = {"began_at": self.began_at, "ended_at": self.ended_at}
        if wrong := [name for name, at in given.items() if at and not covers(at)]:
            raise ValidationError(dict.fromkeys(wrong, _("No calendar covers this year.")))


class IncidentBatch(models.Model):
    """One go of appeals for an incident. The token of the form is unique: what is sent twice is made once."""

    incident = models.ForeignKey(
        Incident, verbose_name=_("incident"), on_delete=models.CASCADE, related_name="batches"
    )
    token = models.UUIDField(unique=True)
    count = models.PositiveIntegerField(_("appeals"))
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("created by"), null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(_("created"))

    class Meta:
        verbose_name = _("batch of an incident")
        verbose_name_plural = _("batches of an incident")
        ordering = ["created_at", "id"]

    def __str__(self) -> str:
        return f"{self.incident}: {self.count}"
