"""Who the token is, and what it may do."""

from typing import Any

from django.contrib.auth import get_permission_codename
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from appeals.api.people import caller
from appeals.models import Appeal, Membership, Shop
from hub.models import ApiToken, User
from marketplaces.api.fields import Moment
from marketplaces.models import Channel, EscalationStep, ResponseTarget, Topic

WRITES = {
    f"{kind._meta.app_label}.{get_permission_codename(action, kind._meta)}"
    for kind in (Appeal, Shop, Channel, Topic, ResponseTarget, EscalationStep)
    for action in ("add", "change", "delete")
}


class TokenSerializer(serializers.ModelSerializer[ApiToken]):
    created = Moment()
    expires_at = Moment(source="expiry", allow_null=True, help_text="Null: it does not expire.")
    last_used_at = Moment(allow_null=True)

    class Meta:
        model = ApiToken
        fields = ("name", "token_key", "created", "expires_at", "last_used_at")
        extra_kwargs = {"token_key": {"help_text": "How the token begins: enough to know it by."}}
        read_only_fields = fields


class OwnShopSerializer(serializers.ModelSerializer[Membership]):
    id = serializers.IntegerField(source="shop_id")
    name = serializers.CharField(source="shop.name")

    class Meta:
        model = Membership
        fields = ("id", "name", "is_lead")
        read_only_fields = fields


class MeSerializer(serializers.ModelSerializer[User]):
    permissions = serializers.SerializerMethodField(
        help_text="What it may write here, such as `marketplaces.change_channel`, if its shops allow it."
    )
    shops = OwnShopSerializer(many=True, source="memberships", help_text="The shops it works for.")
    token = serializers.SerializerMethodField(help_text="Null for a person in the browser.")

    class Meta:
        model = User
        fields = ("email", "full_name", "language", "time_zone", "is_administrator", "permissions", "shops", "token")
        read_only_fields = fields

    def get_permissions(self, user: User) -> list[str]:
        """Those that the API asks for, and not the many of the workplace. Reading needs none."""
        return sorted(WRITES & user.get_all_permissions())

    @extend_schema_field(TokenSerializer(allow_null=True))
    def get_token(self, user: User) -> Any:
        token = self.context["request"].auth
        return TokenSerializer(token).data if isinstance(token, ApiToken) else None


class MeViewSet(GenericViewSet[User]):
    queryset = User.objects.all()
    serializer_class = MeSerializer
    pagination_class = None

    def retrieve(self, request: Request) -> Response:
        """Who the token is, and what it may do."""
        user = User.objects.prefetch_related("memberships__shop").get(pk=caller(request).pk)
        return Response(self.get_serializer(user).data)
