from typing import Any, NoReturn

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class AppendOnlyError(TypeError):
    """Somebody tried to change or delete what has happened."""


class DirectoryChangeQuerySet(models.QuerySet["DirectoryChange"]):
    def of(self, kind: str, row_id: int) -> "DirectoryChangeQuerySet":
        """The history of one row, the latest first."""
        return self.filter(kind=kind, row_id=row_id).select_related("actor").order_by("-at", "-id")

    def update(self, **kwargs: Any) -> NoReturn:
        raise AppendOnlyError("The history of the directory is append-only.")

    def delete(self) -> NoReturn:
        raise AppendOnlyError("The history of the directory is append-only.")


class DirectoryChange(models.Model):
    """One line of a row's history: who did what to it, when, and each field from which value to which.

    It outlives its row. `changes` has [from, to] for each field, in the form of the directory files. Lines are only
    ever added, by `marketplaces.history`.
    """

    class Action(models.TextChoices):
        CREATED = "created", _("entered")
        CHANGED = "changed", _("changed")
        CHECKED = "checked", _("checked")
        LOADED = "loaded", _("loaded from a release")
        TAKEN = "taken", _("taken over from a release")
        KEPT = "kept", _("kept against a release")
        IMPORTED = "imported", _("imported from a file")
        RETIRED = "retired", _("retired")
        RESTORED = "restored", _("brought back into use")
        DELETED = "deleted", _("deleted")

    kind = models.CharField(max_length=30)
    row_id = models.BigIntegerField()
    marketplace = models.CharField(_("marketplace"), max_length=40, blank=True)
    key = models.CharField(_("key"), max_length=60, blank=True)
    name = models.CharField(_("name"), max_length=300)
    name_en = models.CharField(_("name in English"), max_length=300, blank=True, db_default="")
    action = models.CharField(_("what"), max_length=10, choices=Action)
    at = models.DateTimeField(_("when"))
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("who"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    changes = models.JSONField(_("changes"), default=dict, blank=True)

    objects = DirectoryChangeQuerySet.as_manager()

    class Meta:
        verbose_name = _("change of the directory")
        verbose_name_plural = _("changes of the directory")
        default_permissions = ()  # who may read a row may read its history
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["kind", "row_id", "-at", "-id"], name="directory_change_history")]

    def __str__(self) -> str:
        return f"{self.name}: {self.get_action_display()}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnlyError("The history of the directory is append-only.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnlyError("The history of the directory is append-only.")


class StaleDigest(models.Model):
    """When the editors were last told what nobody has checked for long: one row, which whoever tells them claims."""

    sent_on = models.DateField()

    class Meta:
        verbose_name = _("digest of what nobody checked")
        verbose_name_plural = _("digests of what nobody checked")
        default_permissions = ()
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="stale_digest_single")]

    def __str__(self) -> str:
        return f"{self.sent_on}"
