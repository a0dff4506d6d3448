from datetime import date

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from marketplaces.calendars import UnknownCountryError, production_calendar
from marketplaces.models.directory_row import Bilingual, Grade
from marketplaces.validators import validate_pattern, validate_time_zone


class Marketplace(Bilingual):
    """One platform. `provenance` keeps, for each fact field, its source, grade, date and note."""

    slug = models.SlugField(_("identifier"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=100)
    name_en = models.CharField(_("name in English"), max_length=100, blank=True)
    seller_portal = models.URLField(_("seller portal"), blank=True)
    country = models.CharField(
        _("country"), max_length=2, default="RU", help_text=_("Whose production calendar counts, an ISO 3166 code.")
    )
    time_zone = models.CharField(
        _("time zone"), max_length=64, default="Europe/Moscow", validators=[validate_time_zone]
    )
    legal_entity = models.CharField(_("legal entity"), max_length=300, blank=True)
    postal_address = models.TextField(_("postal address"), blank=True)
    ticket_number_pattern = models.CharField(
        _("pattern of a request number"), max_length=100, blank=True, validators=[validate_pattern]
    )
    ticket_number_example = models.CharField(_("example of a request number"), max_length=60, blank=True)
    support_handles = models.TextField(_("what support deals with"), blank=True)
    support_handles_en = models.TextField(_("what support deals with, in English"), blank=True)
    support_refuses = models.TextField(_("what support does not deal with"), blank=True)
    support_refuses_en = models.TextField(_("what support does not deal with, in English"), blank=True)
    provenance = models.JSONField(_("sources"), default=dict, blank=True, editable=False)
    retired_at = models.DateTimeField(_("retired"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("marketplace")
        verbose_name_plural = _("marketplaces")
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.text("name")

    def clean(self) -> None:
        """Refuses a country whose working days nobody could count."""
        super().clean()
        try:
            production_calendar(self.country)
        except UnknownCountryError as error:
            raise ValidationError({"country": str(error)}) from error

    @property
    def checked_on(self) -> date | None:
        """The day since which nobody has checked some fact of it; None if it has no facts."""
        days = [fact["verified_on"] for fact in self.provenance.values()]
        return date.fromisoformat(min(days)) if days else None


class Source(Bilingual):
    """An article, a document or an observation that facts are taken from."""

    key = models.CharField(_("key"), max_length=20, unique=True)
    title = models.CharField(_("title"), max_length=300)
    title_en = models.CharField(_("title in English"), max_length=300, blank=True)
    url = models.URLField(_("address"), max_length=500, blank=True)
    published = models.CharField(_("date of the source"), max_length=100, blank=True)
    grade = models.CharField(_("grade"), max_length=1)

    class Meta:
        verbose_name = _("source")
        verbose_name_plural = _("sources")
        ordering = ["key"]

    def __str__(self) -> str:
        return f"{self.key}: {self.text('title')}"

    @property
    def grade_text(self) -> str:
        """How far it is to be trusted, in words."""
        return str(Grade(self.grade).label) if self.grade in Grade.values else self.grade


class ShippedFact(models.Model):
    """What a release shipped for one row, as of the last load: the common ancestor of a three-way merge.

    It outlives its row: a shipped fact without a row is one that the team deleted, and it stays deleted. `offer` holds
    the shipped values that differ from what the team made of the row since.
    """

    marketplace = models.CharField(max_length=40, blank=True)
    kind = models.CharField(max_length=30)
    key = models.CharField(max_length=60)
    values = models.JSONField(default=dict)
    offer = models.JSONField(default=dict, blank=True)

    class Meta:
        verbose_name = _("shipped fact")
        verbose_name_plural = _("shipped facts")
        constraints = [models.UniqueConstraint(fields=["marketplace", "kind", "key"], name="shipped_fact_unique")]

    def __str__(self) -> str:
        return f"{self.marketplace} {self.kind} {self.key}"
