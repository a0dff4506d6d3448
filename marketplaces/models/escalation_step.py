from datetime import date

from django.db import models
from django.utils.translation import gettext_lazy as _

from marketplaces.models.channel import Channel, check_countable
from marketplaces.models.directory_row import Audience, DirectoryRow, State, key_unique
from marketplaces.models.marketplace import Marketplace
from marketplaces.models.topic import Topic
from marketplaces.working_time import Unit


class EscalationStepQuerySet(models.QuerySet["EscalationStep"]):
    def sellers_path(self, marketplace: Marketplace, *, on: date | None = None) -> "EscalationStepQuerySet":
        """The steps that a seller can take there, in order; with `on`, only those that can be taken on that day."""
        return self.for_sellers(on=on).filter(marketplace=marketplace)

    def for_sellers(self, *, on: date | None = None) -> "EscalationStepQuerySet":
        """The same on every marketplace."""
        path = (
            self.filter(retired_at=None, audience__in=[Audience.SELLERS, Audience.BOTH])
            .exclude(state__in=[State.DEAD, State.HISTORIC])
            .order_by("position", "id")
        )
        return path.exclude(available_from__gt=on) if on else path


class EscalationStep(DirectoryRow):
    """One step of a marketplace's escalation path; `position` is its place on the path.

    The first contact, which the appeal itself is, and steps for special cases (a crime, say) are not proposed as next.
    """

    class Place(models.TextChoices):
        PLATFORM = "platform", _("the marketplace's support")
        PUBLIC = "public", _("in public")
        OPERATOR = "operator", _("the marketplace's complaint system")
        STATE = "state", _("a state body")
        COURT = "court", _("court")
        OTHER = "other", _("elsewhere")

    class Letter(models.TextChoices):
        FOLLOW_UP = "follow_up", _("follow-up")
        STOCK_REPLY = "stock_reply", _("answer to a stock phrase")
        COMPLAINT = "complaint", _("complaint")
        CLAIM = "claim", _("formal claim")
        FAS = "fas", _("appeal to the antimonopoly service")

    marketplace = models.ForeignKey(
        Marketplace, verbose_name=_("marketplace"), on_delete=models.PROTECT, related_name="escalation_steps"
    )
    position = models.PositiveSmallIntegerField(_("position"))
    is_proposed = models.BooleanField(
        _("proposed as the next step"),
        default=True,
        help_text=_("Off for the first contact itself and for steps that are for special cases only."),
    )
    audience = models.CharField(_("audience"), max_length=10, choices=Audience, default=Audience.SELLERS)
    name = models.CharField(_("name"), max_length=200)
    name_en = models.CharField(_("name in English"), max_length=200, blank=True)
    takes_place = models.CharField(_("where"), max_length=10, choices=Place, default=Place.PLATFORM)
    when_to_take = models.TextField(_("when to take it"), blank=True)
    when_to_take_en = models.TextField(_("when to take it, in English"), blank=True)
    channel = models.ForeignKey(
        Channel,
        verbose_name=_("channel"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="escalation_steps",
    )
    instructions = models.TextField(_("what to do"), blank=True)
    instructions_en = models.TextField(_("what to do, in English"), blank=True)
    attach = models.TextField(_("what to attach"), blank=True)
    attach_en = models.TextField(_("what to attach, in English"), blank=True)
    term_amount = models.PositiveIntegerField(_("term"), null=True, blank=True)
    term_unit = models.CharField(_("unit of the term"), max_length=16, choices=Unit, blank=True)
    term_basis = models.TextField(_("ground of the term"), blank=True)
    term_basis_en = models.TextField(_("ground of the term, in English"), blank=True)
    requires = models.ManyToManyField(
        "self", verbose_name=_("only after"), blank=True, symmetrical=False, related_name="required_by"
    )
    letter = models.CharField(_("letter"), max_length=12, choices=Letter, blank=True)
    available_from = models.DateField(_("available from"), null=True, blank=True)
    state = models.CharField(_("state"), max_length=12, choices=State, default=State.WORKING)
    state_reason = models.TextField(_("why this state"), blank=True)
    state_reason_en = models.TextField(_("why this state, in English"), blank=True)

    objects = EscalationStepQuerySet.as_manager()

    class Meta:
        verbose_name = _("escalation step")
        verbose_name_plural = _("escalation steps")
        ordering = ["marketplace", "audience", "position", "id"]
        constraints = [
            key_unique("escalation_step_key_unique", "marketplace"),
            models.CheckConstraint(
                condition=(models.Q(term_amount=None) & models.Q(term_unit=""))
                | (models.Q(term_amount__gte=1) & ~models.Q(term_unit="")),
                name="escalation_step_term_whole",
                violation_error_message=_("A term has an amount of at least 1 and a unit, or neither."),
            ),
        ]

    def __str__(self) -> str:
        return self.text("name")

    def clean(self) -> None:
        """Refuses a term that no clock can count."""
        super().clean()
        check_countable(self, "term_amount", self.term_amount, self.term_unit)


class Rule(DirectoryRow):
    """A term that the seller must meet, or a limit that the platform sets."""

    marketplace = models.ForeignKey(
        Marketplace, verbose_name=_("marketplace"), on_delete=models.PROTECT, related_name="rules"
    )
    topic = models.ForeignKey(
        Topic, verbose_name=_("topic"), null=True, blank=True, on_delete=models.SET_NULL, related_name="rules"
    )
    name = models.CharField(_("name"), max_length=300)
    name_en = models.CharField(_("name in English"), max_length=300, blank=True)
    term_amount = models.PositiveIntegerField(_("term"), null=True, blank=True)
    term_unit = models.CharField(_("unit of the term"), max_length=16, choices=Unit, blank=True)
    consequence = models.TextField(_("consequence"), blank=True)
    consequence_en = models.TextField(_("consequence in English"), blank=True)
    state = models.CharField(_("state"), max_length=12, choices=State, default=State.WORKING)
    state_reason = models.TextField(_("why this state"), blank=True)
    state_reason_en = models.TextField(_("why this state, in English"), blank=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("rule")
        verbose_name_plural = _("rules")
        ordering = ["marketplace", "position", "id"]
        constraints = [key_unique("rule_key_unique", "marketplace")]

    def __str__(self) -> str:
        return self.text("name")
