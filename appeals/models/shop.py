from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from marketplaces.models import Marketplace
from marketplaces.prepared import Given, Prepared

if TYPE_CHECKING:
    from hub.models import User


class ShopQuerySet(models.QuerySet["Shop"]):
    def visible_to(self, user: User | AnonymousUser) -> ShopQuerySet:
        """The one place that decides who sees what: members see their shops, administrators all, others nothing."""
        if not user.is_authenticated or not user.is_active:
            return self.none()
        if user.is_superuser:
            return self.all()
        return self.of_member(user)

    def of_member(self, user: Any) -> ShopQuerySet:
        return self.filter(pk__in=Membership.objects.filter(user=user).values("shop"))

    def numbers_visible_to(self, user: User | AnonymousUser) -> list[int]:
        """Those of `visible_to`, by number."""
        if user.is_active and not user.is_superuser:
            return _numbers(user=user.pk)
        return list(self.visible_to(user).order_by().values_list("pk", flat=True))

    def one_visible_to(self, user: User | AnonymousUser, pk: int) -> Shop | None:
        """The one of this number with its marketplace, if it is among those of `visible_to`."""
        if user.is_active and not user.is_superuser and pk.bit_length() < 64:
            return next(iter(_one(user=user.pk, shop=pk)), None)
        return self.visible_to(user).select_related("marketplace").filter(pk=pk).first()

    def led_by(self, user: User | AnonymousUser) -> ShopQuerySet:
        """Whose members and trail they look after: leads have their shops, administrators all."""
        return self.visible_to(user).filter(_led(user))

    def of_reader(self, user: User | AnonymousUser) -> ShopQuerySet:
        """Those that they see, with their marketplaces; each says in `is_led` whether it is among `led_by`."""
        return self.visible_to(user).select_related("marketplace").annotate(is_led=_led(user))


_numbers = Prepared(lambda: Shop.objects.of_member(Given("user")).order_by().values_list("pk", flat=True))
_one = Prepared(
    lambda: Shop.objects.of_member(Given("user")).filter(pk=Given("shop")).select_related("marketplace").order_by()
)


def _led(user: User | AnonymousUser) -> models.Q:
    if not user.is_authenticated:
        return models.Q(pk__in=[])
    if user.is_superuser:
        return ~models.Q(pk__in=[])
    return models.Q(pk__in=Membership.objects.filter(user=user, is_lead=True).values("shop"))


class Shop(models.Model):
    """Our seller account on one marketplace, with its legal entity."""

    name = models.CharField(_("name"), max_length=200)
    marketplace = models.ForeignKey(
        Marketplace, verbose_name=_("marketplace"), on_delete=models.PROTECT, related_name="shops"
    )
    seller_id = models.CharField(_("seller number"), max_length=60, blank=True)
    legal_name = models.CharField(_("legal name"), max_length=300, blank=True)
    inn = models.CharField(
        _("INN"),
        max_length=12,
        blank=True,
        validators=[RegexValidator(r"^([0-9]{10}|[0-9]{12})\Z", _("An INN has 10 or 12 digits."))],
    )
    ogrn = models.CharField(
        _("OGRN"),
        max_length=15,
        blank=True,
        validators=[RegexValidator(r"^([0-9]{13}|[0-9]{15})\Z", _("An OGRN has 13 digits, an OGRNIP 15."))],
    )
    postal_address = models.TextField(_("postal address"), blank=True)
    members = models.ManyToManyField(
        settings.AUTH_USER_MODEL, through="appeals.Membership", verbose_name=_("members"), related_name="shops"
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = ShopQuerySet.as_manager()

    class Meta:
        verbose_name = _("shop")
        verbose_name_plural = _("shops")
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["marketplace", "name"],
                name="shop_name_unique",
                violation_error_message=_("There is a shop of this name on this marketplace already."),
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def says_marketplace(self) -> bool:
        """Whether its own name names the marketplace, as "Tea house (Ozon)" does: people need not be told twice."""
        names = filter(None, (self.marketplace.name, self.marketplace.name_en))
        return any(name.split()[0].casefold() in self.name.casefold() for name in names)

    @property
    def place(self) -> str:
        """The shop with its marketplace."""
        return self.name if self.says_marketplace else f"{self.marketplace}, {self.name}"


class Membership(models.Model):
    """A person who works for a shop; leads are told when nobody is assigned or nothing helps."""

    shop = models.ForeignKey(Shop, verbose_name=_("shop"), on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("user"), on_delete=models.CASCADE, related_name="memberships"
    )
    is_lead = models.BooleanField(_("lead"), default=False)

    class Meta:
        verbose_name = _("member")
        verbose_name_plural = _("members")
        constraints = [
            models.UniqueConstraint(
                fields=["shop", "user"],
                name="membership_unique",
                violation_error_message=_("This person is a member already."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.user}, {self.shop}"
