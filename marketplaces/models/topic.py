from django.db import models
from django.utils.translation import gettext_lazy as _

from marketplaces.models.directory_row import DirectoryRow, key_unique
from marketplaces.models.marketplace import Marketplace


class Topic(DirectoryRow):
    """What an appeal is about. Without a marketplace it serves all of them."""

    class Required(models.TextChoices):
        """What an appeal on this topic must carry."""

        ORDER_NUMBER = "order_number", _("order number")
        PRODUCT_CODE = "product_code", _("product code")
        DATES = "dates", _("dates")
        EVIDENCE = "evidence", _("evidence")
        DESIRED_OUTCOME = "desired_outcome", _("desired outcome")
        API_REQUEST = "api_request", _("API call with its time and request number")
        REPORT_NUMBER = "report_number", _("report number")

    slug = models.SlugField(_("identifier"), max_length=60, unique=True)
    marketplace = models.ForeignKey(
        Marketplace,
        verbose_name=_("marketplace"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="topics",
        help_text=_("Empty: for all marketplaces."),
    )
    name = models.CharField(_("name"), max_length=200)
    name_en = models.CharField(_("name in English"), max_length=200, blank=True)
    examples = models.JSONField(_("examples"), default=list, blank=True)
    examples_en = models.JSONField(_("examples in English"), default=list, blank=True)
    required = models.JSONField(_("must carry"), default=list, blank=True)
    good_appeal = models.TextField(_("a good appeal"), blank=True)
    good_appeal_en = models.TextField(_("a good appeal, in English"), blank=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("topic")
        verbose_name_plural = _("topics")
        ordering = ["position", "slug"]
        constraints = [key_unique("topic_key_unique")]

    def __str__(self) -> str:
        return self.text("name")
