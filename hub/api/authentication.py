"""Who calls: a program by its token. People in the interactive docs come with their browser's session."""

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import Permission
from django.contrib.postgres.expressions import ArraySubquery
from django.db import connection
from django.db.models import OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Concat
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from knox.auth import TokenAuthentication as KnoxAuthentication
from knox.crypto import hash_token
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

from hub.models import ApiToken, User
from marketplaces.models import DirectoryChange
from marketplaces.prepared import Given, Prepared

USE_NOTED_EVERY = timedelta(minutes=1)
PERMISSIONS = Permission.objects.order_by().values(full=Concat("content_type__app_label", Value("."), "codename"))
LAST_CHANGE = DirectoryChange.objects.order_by("-id").values("id")[:1]


class TokenAuthentication(KnoxAuthentication):
    """`Authorization: Bearer <token>`, found by its hash. An expired token stays, for the admin to see.

    The last line of the directory's history is read along: what was read of the directory before holds until then.
    So is, before a write, what the user may do, where the database can give a list.
    """

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        self.writes = request.method not in SAFE_METHODS
        found: tuple[User, ApiToken] | None = super().authenticate(request)
        return found

    def authenticate_credentials(self, token: bytes) -> tuple[User, ApiToken]:
        now = timezone.now()
        digest = hash_token(token.decode("latin-1"))
        known = _known_with_rights if self.writes and connection.vendor == "postgresql" else _known
        found: Any = next(iter(known(digest=digest)), None)
        if found is None or (found.expiry is not None and found.expiry <= now):
            raise AuthenticationFailed(_("The token is not known, has expired or was revoked."))
        if not found.user.is_active:
            raise AuthenticationFailed(_("The account of this token is closed."))
        self._note_use(found)
        if hasattr(found, "own"):
            found.user.learn_permissions({*found.own, *found.of_roles})
        return found.user, found

    @staticmethod
    def _note_use(token: ApiToken) -> None:
        """Written at most once a minute, so that a busy token costs no write for each call."""
        now = timezone.now()
        if token.last_used_at is None or token.last_used_at < now - USE_NOTED_EVERY:
            ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)


def _tokens() -> QuerySet[ApiToken]:
    rows = ApiToken.objects.filter(digest=Given("digest")).select_related("user")
    tokens: QuerySet[ApiToken] = rows.annotate(directory=Subquery(LAST_CHANGE))
    return tokens


def _tokens_with_rights() -> QuerySet[ApiToken]:
    own, of_roles = PERMISSIONS.filter(user=OuterRef("user")), PERMISSIONS.filter(group__user=OuterRef("user"))
    tokens: QuerySet[ApiToken] = _tokens().annotate(own=ArraySubquery(own), of_roles=ArraySubquery(of_roles))
    return tokens


_known, _known_with_rights = Prepared(_tokens), Prepared(_tokens_with_rights)


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
