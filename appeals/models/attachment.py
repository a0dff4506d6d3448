import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from appeals.models.appeal import Appeal


def storage_name(attachment: "Attachment", _name: str) -> str:
    """A name of our own: what the sender called the file never becomes a path."""
    return f"attachments/{attachment.appeal_id}/{uuid.uuid4().hex}"


class Attachment(models.Model):
    """A file that belongs to an appeal. `content_type` is what the bytes are, not what the sender says."""

    appeal = models.ForeignKey(Appeal, verbose_name=_("appeal"), on_delete=models.CASCADE, related_name="attachments")
    file = models.FileField(_("file"), upload_to=storage_name, max_length=200)
    name = models.CharField(_("name"), max_length=255)
    content_type = models.CharField(_("type"), max_length=100)
    size = models.PositiveBigIntegerField(_("size, bytes"))
    sha256 = models.CharField(max_length=64)
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("added by"), null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(_("added"))

    class Meta:
        verbose_name = _("attachment")
        verbose_name_plural = _("attachments")
        ordering = ["created_at", "id"]

    def __str__(self) -> str:
        return self.name
