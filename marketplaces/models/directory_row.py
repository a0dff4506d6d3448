"""What every row of the directory has: two languages, a source, a place in the shipped file, a version."""

from datetime import date
from typing import Any

from django.conf import settings
from django.core.validators import MinLengthValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _


class Bilingual(models.Model):
    """Texts are kept in Russian (`name`) and in English (`name_en`); a missing English text falls back to Russian."""

    class Meta:
        abstract = True

    def text(self, field: str, language: str | None = None) -> str:
        """The text of `field` in `language` ("ru" or "en"), by default in the language now active."""
        language = language or get_language() or settings.LANGUAGE_CODE
        english = getattr(self, f"{field}_en") if language.startswith("en") else ""
        return str(english or getattr(self, field))


class Grade(models.TextChoices):
    """How far a source is to be trusted."""

    A = "A", _("A: the platform's own text")
    B = "B", _("B: press, government, lawyers")
    C = "C", _("C: trade blog or service company")
    D = "D", _("D: anonymous article that contradicts others")
    E = "E", _("E: seen in public code or behaviour")


class DirectoryRow(Bilingual):
    """One fact of the directory, with where it comes from.

    `key` names the row in the shipped `directory.toml`; rows that the team added have none. `verified_on` is the day
    on which the row was last compared with its source, or, with `verified_by`, on which that person checked it.
    """

    key = models.SlugField(_("key"), max_length=60, blank=True, editable=False)
    source = models.CharField(_("source"), max_length=200, validators=[MinLengthValidator(1)])
    source_grade = models.CharField(_("grade of the source"), max_length=1, choices=Grade, default=Grade.C)
    verified_on = models.DateField(_("checked on"), default=timezone.localdate)
    verified_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("checked by"),
        null=True,
        blank=True,
        editable=False,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    retired_at = models.DateTimeField(_("retired"), null=True, blank=True, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Each save is a new version: that is what an ETag and a form compare."""
        if self.pk and not self._state.adding:
            self.version += 1
            if kwargs.get("update_fields") is not None:
                kwargs["update_fields"] = {*kwargs["update_fields"], "version", "updated_at"}
        super().save(*args, **kwargs)

    @property
    def checked_on(self) -> date:
        """The day since which nobody has checked it."""
        return self.verified_on


class State(models.TextChoices):
    """How far a channel or a step can be relied on."""

    WORKING = "working", _("working")
    UNCONFIRMED = "unconfirmed", _("unconfirmed")
    DISPUTED = "disputed", _("disputed")
    DEAD = "dead", _("dead")
    HISTORIC = "historic", _("historic")


UNSAFE = (State.DISPUTED, State.DEAD, State.HISTORIC)
"""States in which nobody should be sent there: no link that opens, no word on being open."""


class Audience(models.TextChoices):
    SELLERS = "sellers", _("sellers")
    BUYERS = "buyers", _("buyers")
    BOTH = "both", _("sellers and buyers")
    OTHER = "other", _("others")


class Priority(models.TextChoices):
    NORMAL = "normal", _("normal")
    URGENT = "urgent", _("urgent")


def key_unique(name: str, *fields: str) -> models.UniqueConstraint:
    """The shipped key names one row only; rows of the team have no key."""
    return models.UniqueConstraint(fields=[*fields, "key"], condition=~models.Q(key=""), name=name)
