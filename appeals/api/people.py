"""People on the wire: by e-mail."""

from typing import TYPE_CHECKING, Any, cast

from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from marketplaces.api.fields import OfRow
from marketplaces.prepared import Given, Prepared

if TYPE_CHECKING:
    from hub.models import User


@extend_schema_field({"type": "string", "format": "email", "maxLength": 254})
class EmailOfPerson(OfRow, serializers.SlugRelatedField[Any]):
    """A user by their e-mail, in any case."""

    default_error_messages = {"invalid": _("No such person works here.")}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"slug_field": "email", **kwargs})

    def get_queryset(self) -> QuerySet[Any]:
        return get_user_model()._default_manager.filter(is_active=True)

    def to_internal_value(self, data: Any) -> Any:
        email = data.strip().lower() if isinstance(data, str) and "\x00" not in data else ""
        return next(iter(_with_email(email=email)), None) or self.fail("invalid")


@Prepared
def _with_email() -> QuerySet[Any]:
    return get_user_model()._default_manager.filter(is_active=True, email=Given("email"))


class MayWork(BasePermission):
    """As in the workplace: members of a shop see its appeals, and their role says what they may do with them.

    Moves and files change an appeal; a view names in `verbs` what does something else with it.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        if request.method in SAFE_METHODS:
            return True
        verb = getattr(view, "verbs", {}).get(view.action, "change")
        return caller(request).has_perm(f"appeals.{verb}_appeal")


def caller(request: Request) -> "User":
    """Who calls. The permissions of every view have seen to it that somebody does."""
    return cast("User", request.user)
