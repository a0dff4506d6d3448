"""What is reviewed, and what a finding is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from appeals.models import Appeal, Shop
from marketplaces.models import Channel, Topic

TEXTS = ("subject", "body", "desired_outcome")


class Severity(TextChoices):
    """How likely it is to cost an answer. None forbids sending."""

    ERROR = "error", _("must be mended")
    WARNING = "warning", _("better mended")
    HINT = "hint", _("advice")


@dataclass(frozen=True)
class Finding:
    """One thing that could be better. `field` is a field of the appeal or `attachments`; `place` is where in its text,
    from and to, in characters (code points)."""

    code: str
    severity: Severity
    message: str
    field: str
    mend: str
    place: tuple[int, int] | None = None
    appeal: int | None = None
    """Another appeal that it is about."""


@dataclass(frozen=True)
class Facts:
    """An appeal as it is to be sent, saved or not."""

    shop: Shop
    topic: Topic | None = None
    channel: Channel | None = None
    subject: str = ""
    body: str = ""
    desired_outcome: str = ""
    order_numbers: Sequence[str] = ()
    product_codes: Sequence[str] = ()
    external_number: str = ""
    has_files: bool = False
    previous: Appeal | None = None
    pk: int | None = None

    @classmethod
    def of(cls, appeal: Appeal) -> Facts:
        """The appeal as it is saved. One query, for its files."""
        return cls(
            shop=appeal.shop,
            topic=appeal.topic,
            channel=appeal.channel,
            subject=appeal.subject,
            body=appeal.body,
            desired_outcome=appeal.desired_outcome,
            order_numbers=appeal.order_numbers,
            product_codes=appeal.product_codes,
            external_number=appeal.external_number,
            has_files=appeal.attachments.exists(),
            previous=appeal.previous,
            pk=appeal.pk,
        )

    @property
    def texts(self) -> Iterator[tuple[str, str]]:
        """Each field that is read by the marketplace, with its text."""
        return ((name, getattr(self, name)) for name in TEXTS)

    @property
    def text(self) -> str:
        return "\n".join(text for _name, text in self.texts if text)
