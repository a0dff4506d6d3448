"""Who calls: a program by its token. People in the interactive docs come with their browser's session."""

from datetime import timedelta
from typing import Any

from django.db.models import Subquery
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from knox.auth import TokenAuthentication as KnoxAuthentication
from knox.crypto import hash_token
from rest_framework.exceptions import AuthenticationFailed

from hub.models import ApiToken, User
from marketplaces.models import DirectoryChange

USE_NOTED_EVERY = timedelta(minutes=1)
LAST_CHANGE = DirectoryChange.objects.order_by("-id").values("id")[:1]


class TokenAuthentication(KnoxAuthentication):
    """`Authorization: Bearer <token>`, found by its hash. An expired token stays, for the admin to see.

    The last line of the directory's history is read along: what was read of the directory before holds until then.
    """

    def authenticate_credentials(self, token: bytes) -> tuple[User, ApiToken]:
        now = timezone.now()
        digest = hash_token(token.decode("latin-1"))
        tokens = ApiToken.objects.select_related("user").annotate(directory=Subquery(LAST_CHANGE))
        found = next(iter(tokens.filter(digest=digest)), None)
        if found is None or (found.expiry is not None and found.expiry <= now):
            raise AuthenticationFailed(_("The token is not known, has expired or was revoked."))
        if not found.user.is_active:
            raise AuthenticationFailed(_("The account of this token is closed."))
        self._note_use(found)
        return found.user, found

    @staticmethod
    def _note_use(token: ApiToken) -> None:
        """Written at most once a minute, so that a busy token costs no write for each call."""
        now = timezone.now()
        if token.last_used_at is None or token.last_used_at < now - USE_NOTED_EVERY:
            ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the schema describes it."""

    target_class = TokenAuthentication
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "A token of a user, made by `manage.py issue_token EMAIL` or in the admin.",
        }
