"""People, and the keys of their programs."""

from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, Permission, PermissionsMixin
from django.db import models
from django.db.models import F
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from knox.models import AbstractAuthToken

from hub.days_off import read as read_days_off
from hub.days_off import validate_days_off
from marketplaces.opening_hours import OpeningHours, OpeningHoursError, UnknownZoneError, opening_hours, zone_of
from marketplaces.personal_hours import PersonalHours
from marketplaces.validators import validate_opening_hours, validate_time_zone

ROUND_THE_CLOCK = "24/7"


def default_time_zone() -> str:
    return str(settings.TIME_ZONE)


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """A user who logs in with `email`; without a password they cannot log in until they set one."""
        if not email:
            raise ValueError("A user needs an e-mail address.")
        user = self.model(email=self.normalize_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username)

    @classmethod
    def normalize_email(cls, email: str | None) -> str:
        """Addresses are compared in lower case, so that nobody has two accounts by accident."""
        return (email or "").strip().lower()


class User(AbstractBaseUser, PermissionsMixin):  # type: ignore[django-manager-missing]  # of knox, which has no type hints
    """A member of the team, or the account of a program."""

    class Language(models.TextChoices):
        RUSSIAN = "ru", _("Russian")
        ENGLISH = "en", _("English")

    email = models.EmailField(_("e-mail"))
    full_name = models.CharField(_("full name"), max_length=150, blank=True)
    language = models.CharField(_("language"), max_length=2, choices=Language, default=Language.RUSSIAN)
    time_zone = models.CharField(
        _("time zone"), max_length=64, default=default_time_zone, validators=[validate_time_zone]
    )
    working_hours = models.CharField(
        _("working hours"),
        max_length=255,
        blank=True,
        validators=[validate_opening_hours],
        help_text=_(
            "When reminders may come, as an opening_hours expression, for example Mo-Fr 09:00-18:00; PH off."
            " Empty: at any time."
        ),
    )
    days_off = models.JSONField(_("days off"), default=list, blank=True, validators=[validate_days_off])
    is_active = models.BooleanField(_("active"), default=True)
    is_staff = models.BooleanField(_("may open the workplace"), default=True)
    session_round = models.PositiveIntegerField(default=0, editable=False)
    reset_mailed_at = models.DateTimeField(null=True, editable=False)
    date_joined = models.DateTimeField(_("joined"), default=timezone.now, editable=False)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        ordering = ["email"]
        constraints = [
            models.UniqueConstraint(
                Lower("email"), name="user_email_unique", violation_error_message=_("This address is in use already.")
            ),
        ]

    def __str__(self) -> str:
        return self.full_name or self.email

    def clean(self) -> None:
        super().clean()
        self.email = UserManager.normalize_email(self.email)

    @property
    def zone_name(self) -> str:
        """Their time zone; the hub's where what is kept can be read no more."""
        try:
            return zone_of(self.time_zone).key
        except UnknownZoneError:
            return default_time_zone()

    def hours(self, country: str) -> OpeningHours | PersonalHours:
        """When they want to be reminded, on the calendar of a country: at any time where they entered no hours.

        What is kept and can be read no more holds back no reminder: it counts as not entered. See `unreadable`.
        """
        try:
            hours = opening_hours(self.working_hours or ROUND_THE_CLOCK, self.zone_name, country)
        except OpeningHoursError:
            hours = opening_hours(ROUND_THE_CLOCK, self.zone_name, country)
        try:
            return PersonalHours(hours, read_days_off(self.days_off)) if self.days_off else hours
        except ValueError:
            return hours

    def unreadable(self) -> list[str]:
        """What is kept of their hours and can be read no more, and what counts instead, in sentences."""
        found = []
        if self.zone_name != self.time_zone:
            found.append(
                gettext("The time zone “%(kept)s” cannot be read; %(zone)s counts instead.")
                % {"kept": self.time_zone, "zone": self.zone_name}
            )
        try:
            opening_hours(self.working_hours or ROUND_THE_CLOCK, "UTC", "RU")
        except OpeningHoursError:
            found.append(
                gettext("The working hours “%(kept)s” cannot be read; reminders come at any time.")
                % {"kept": self.working_hours}
            )
        try:
            read_days_off(self.days_off)
        except ValueError:
            found.append(gettext("The days off cannot be read; reminders come on them, too."))
        return found

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        self._learn_permissions()
        return super().has_perm(perm, obj)

    def has_module_perms(self, app_label: str) -> bool:
        self._learn_permissions()
        return super().has_module_perms(app_label)

    def _learn_permissions(self) -> None:
        """In one query what Django's backend asks for in two, of the person and of their roles, on every page."""
        if self.is_superuser or not self.is_active or hasattr(self, "_perm_cache"):
            return
        names = Permission.objects.order_by().values_list("content_type__app_label", "codename")
        mine = names.filter(user=self.pk).union(names.filter(group__user=self.pk))
        self.learn_permissions({f"{app}.{codename}" for app, codename in mine})

    def learn_permissions(self, names: set[str]) -> None:
        self._perm_cache = names

    def get_short_name(self) -> str:
        return self.full_name.split(" ")[0] or self.email

    def get_full_name(self) -> str:
        return str(self)

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """What a session keeps of its user: it ends when the password or the round is another one."""
        salted = salted_hmac("hub.User.session", f"{self.password} {self.session_round}", secret, algorithm="sha256")
        return str(salted.hexdigest())

    def end_sessions(self) -> None:
        """Every session of the person is over at its next request."""
        User.objects.filter(pk=self.pk).update(session_round=F("session_round") + 1)
        self.refresh_from_db(fields=["session_round"])

    @property
    def is_administrator(self) -> bool:
        return self.is_active and self.is_superuser


class ApiToken(AbstractAuthToken):
    """The key of a program: kept as a hash, with a name, perhaps an end; it may do what its user may."""

    name = models.CharField(_("name"), max_length=100, blank=True)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")

    def __str__(self) -> str:
        return f"{self.name or self.token_key} ({self.user})"


class IdempotencyKey(models.Model):
    """The first answer to a request that a program may repeat (`Idempotency-Key`).

    The row is written in the transaction of the request itself: what was not done has no row. `fingerprint` is the
    SHA-256 of method, path and body; `hub.api.idempotency` reads and purges the rows.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(null=True)
    answer = models.TextField(blank=True)
    etag = models.CharField(max_length=100, blank=True)
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = _("idempotency key")
        verbose_name_plural = _("idempotency keys")
        constraints = [models.UniqueConstraint(fields=["user", "key"], name="idempotency_key_unique")]

    def __str__(self) -> str:
        return self.key
