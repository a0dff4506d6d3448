"""The mail with a link to a new password."""

from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.core.mail import EmailMessage
from django.db.models import Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django.utils.translation import gettext as _

from hub.models import User

PAUSE = timedelta(minutes=5)


def send(email: str, *, now: datetime) -> None:
    """At most one mail in five minutes to one person, however often somebody asks.

    Nothing is sent for strangers, for closed accounts and for those without a password.
    """
    claimed = User.objects.filter(Q(reset_mailed_at=None) | Q(reset_mailed_at__lte=now - PAUSE))
    if not claimed.filter(email__iexact=email, is_active=True).update(reset_mailed_at=now):
        return
    user = User.objects.get(email__iexact=email)
    if user.has_usable_password():
        _compose(user).send()


def _compose(user: User) -> EmailMessage:
    """In the person's language. The link is made of HUB_BASE_URL, never of what the request called the host."""
    key = {"uidb64": urlsafe_base64_encode(force_bytes(user.pk)), "token": default_token_generator.make_token(user)}
    with translation.override(user.language):
        link = settings.BASE_URL + reverse("password_reset_confirm", kwargs=key)
        minutes = settings.PASSWORD_RESET_TIMEOUT // 60
        text = render_to_string("emails/password_reset.txt", {"link": link, "minutes": minutes, "user": user})
        return EmailMessage(_("A new password for the seller support hub"), text.strip() + "\n", to=[user.email])
