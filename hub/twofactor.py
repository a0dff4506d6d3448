"""The second step of a log-in: a code of an app on the phone, or a backup code from paper.

A person without a device logs in with the password alone, unless HUB_REQUIRE_2FA is set and they administer the hub:
then every page leads them to the set-up first. API tokens need no code; they are made in a session that had one.
"""

from __future__ import annotations

import json
import time
from binascii import unhexlify

import segno
from axes.handlers.proxy import AxesProxyHandler
from django.conf import settings
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.signals import user_login_failed
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext
from django_otp import login as verify_session
from django_otp.models import Device
from django_otp.oath import TOTP
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice
from django_otp.util import random_hex

from hub.models import User
from hub.trail.listening import tell_of_person

BACKUP_CODES = 10
DIGITS = 6
TOLERANCE = 1  # steps of 30 seconds that the clock of a phone may be off
NEW_KEY = "second_step_key"
PENDING = "second_step_pending"
PENDING_SECONDS = 300


def is_set_up(user: User) -> bool:
    return bool(TOTPDevice.objects.filter(user=user, confirmed=True).exists())


def is_verified(request: HttpRequest) -> bool:
    """Whether a code was given in this session."""
    return getattr(request.user, "otp_device", None) is not None


def is_missing(request: HttpRequest) -> bool:
    """Whether this session may open nothing but the set-up: its user has to have a second step."""
    if not settings.REQUIRE_2FA or not request.user.is_authenticated or is_verified(request):
        return False
    return request.user.is_superuser or request.user.has_perm("hub.change_user")


def may_make_tokens(request: HttpRequest) -> bool:
    """A token outlives the session and needs no code: where codes are asked for, one had to be given."""
    return not settings.REQUIRE_2FA or is_verified(request)


def new_key(request: HttpRequest) -> str:
    """The key that is being set up in this session, not kept anywhere else before a code has proved it."""
    if NEW_KEY not in request.session:
        request.session[NEW_KEY] = random_hex(20)
    return str(request.session[NEW_KEY])


def picture(user: User, key: str) -> str:
    """The key as a QR code, an SVG drawing without style or script."""
    address = TOTPDevice(user=user, key=key).config_url
    return segno.make(address, error="m").svg_inline(scale=5, border=2, dark="#000", light="#fff")


@transaction.atomic
def set_up(request: HttpRequest, user: User, code: str) -> list[str]:
    """Keeps the new key when `code` proves it; the backup codes, to be shown once. All other sessions end."""
    key = new_key(request)
    totp = TOTP(unhexlify(key), digits=DIGITS)
    totp.time = time.time()
    if not (code.isascii() and code.isdigit() and totp.verify(int(code), TOLERANCE)):
        raise ValidationError({"code": _("This is not the code that the app shows now. Is the phone's clock right?")})
    TOTPDevice.objects.filter(user=user).delete()
    device = TOTPDevice.objects.create(user=user, name="app", key=key, tolerance=TOLERANCE, last_t=totp.t())
    request.session.pop(NEW_KEY)
    _only_this_session(request, user)
    verify_session(request, device)
    return new_backup_codes(user)


@transaction.atomic
def new_backup_codes(user: User) -> list[str]:
    """Ten codes, each good once; those before them are good no more."""
    StaticDevice.objects.filter(user=user).delete()
    device = StaticDevice.objects.create(user=user, name="backup")
    codes = [StaticToken.random_token() for _number in range(BACKUP_CODES)]
    StaticToken.objects.bulk_create(StaticToken(device=device, token=code) for code in codes)
    tell_of_person(user, gettext_noop("New backup codes"), "", BACKUP_CODES)
    return codes


def backup_codes_left(user: User) -> int:
    return int(StaticToken.objects.filter(device__user=user).count())


@transaction.atomic
def turn_off(user: User) -> None:
    """The person logs in with the password alone from now on, and their sessions end."""
    TOTPDevice.objects.filter(user=user).delete()
    StaticDevice.objects.filter(user=user).delete()
    user.end_sessions()


def check(request: HttpRequest, user: User, code: str) -> Device:
    """The device that knows `code`. A wrong one is a failed log-in, which django-axes counts.

    Raises ValidationError for a wrong code or one that comes too soon after wrong ones, PermissionDenied for somebody
    who is shut out.
    """
    credentials = {"username": user.email}
    if not AxesProxyHandler.is_allowed(request, credentials):
        request.axes_locked_out = True  # type: ignore[attr-defined]
        request.axes_credentials = credentials  # type: ignore[attr-defined]
        raise PermissionDenied
    device, seconds = _verify(user, "".join(code.split()).lower())
    if device:
        return device
    if seconds:
        words = ngettext("Wait %(count)d second before the next code.", "Wait %(count)d seconds.", seconds)
        raise ValidationError({"code": words % {"count": seconds}})
    user_login_failed.send(__name__, credentials=credentials, request=request)
    raise ValidationError({"code": _("This code is wrong, has expired or was used already.")})


@transaction.atomic
def _verify(user: User, code: str) -> tuple[Device | None, int]:
    """The device, or how many seconds to wait. The row is locked: of two requests with one code, one gets in."""
    kind = TOTPDevice if len(code) == DIGITS and code.isdigit() else StaticDevice
    device = kind.objects.select_for_update().filter(user=user, confirmed=True).first()
    if device is None:
        return None, 0
    allowed, why = device.verify_is_allowed()
    if not allowed:
        return None, 1 + int(2 ** (why["failure_count"] - 1))
    return (device if device.verify_token(code) else None), 0


def remember(request: HttpRequest, user: User, then: str) -> None:
    """The password was right: the session knows who is about to give a code, and is nobody's yet."""
    request.session[PENDING] = json.dumps([user.pk, user.get_session_auth_hash(), time.time(), then])


def pending(request: HttpRequest) -> tuple[User, str] | None:
    """Who is about to give a code, and the page they wanted. Nobody after five minutes or a change of password."""
    if PENDING not in request.session:
        return None
    pk, secret, since, then = json.loads(request.session[PENDING])
    user = User.objects.filter(pk=pk, is_active=True).first()
    if user is None or user.get_session_auth_hash() != secret or time.time() - since > PENDING_SECONDS:
        del request.session[PENDING]
        return None
    return user, then


def _only_this_session(request: HttpRequest, user: User) -> None:
    user.end_sessions()
    update_session_auth_hash(request, user)
