"""Shops of the caller."""

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.permissions import SAFE_METHODS, BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from appeals import shops
from appeals.api.people import EmailOfPerson, caller
from appeals.models import Shop
from marketplaces.api.examples import example
from marketplaces.api.fields import RowSerializer, Slug
from marketplaces.api.views import DIGITS
from marketplaces.models import Marketplace


@example(
    "a shop and its team",
    {
        "name": "Чай и чашки",
        "marketplace": "ozon",
        "inn": "7701234567",
        "members": ["agent@example.com", "lead@example.com"],
    },
)
class ShopSerializer(RowSerializer):
    marketplace = Slug(queryset=Marketplace.objects.all(), help_text="Slug of its marketplace. It stays there.")
    members = EmailOfPerson(
        many=True, required=False, help_text="E-mails of those who work for it. Leads and administrators write them."
    )

    class Meta:
        model = Shop
        fields = (
            "id",
            "name",
            "marketplace",
            "seller_id",
            "legal_name",
            "inn",
            "ogrn",
            "postal_address",
            "members",
        )

    def validate_marketplace(self, marketplace: Any) -> Any:
        if self.instance and self.instance.marketplace_id != marketplace.pk:
            raise ValidationError(_("A shop stays on its marketplace."), code="fixed")
        return marketplace


class MayChangeShops(BasePermission):
    """As in the workplace: members see their shops, and their role says whether they add or change one."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        verb = "add" if request.method == "POST" else "change"
        return request.method in SAFE_METHODS or request.user.has_perm(f"appeals.{verb}_shop")


class ShopViewSet(ListModelMixin, RetrieveModelMixin, GenericViewSet[Shop]):
    """Our seller accounts on the marketplaces: those that the caller works for."""

    serializer_class = ShopSerializer
    queryset = Shop.objects.select_related("marketplace").prefetch_related("members")
    permission_classes = [IsAuthenticated, MayChangeShops]
    lookup_value_regex = DIGITS
    ordering = "id"
    ordering_fields = ("id", "name", "created_at")
    http_method_names = ["get", "post", "patch"]

    def get_queryset(self) -> QuerySet[Shop]:
        rows: Any = super().get_queryset()
        visible: QuerySet[Shop] = rows.visible_to(self.request.user)
        return visible

    @extend_schema(responses={201: ShopSerializer})
    def create(self, request: Request) -> Response:
        """Adds a shop, for those who may. Whoever adds it leads it."""
        given = self.get_serializer(data=request.data)
        given.is_valid(raise_exception=True)
        shop = shops.create(actor=caller(request), **given.validated_data)
        return Response(self._read(shop), status=status.HTTP_201_CREATED)

    def partial_update(self, request: Request, pk: str) -> Response:
        """Changes what is known of a shop. Only those who lead it, and administrators, change its members."""
        shop = self.get_object()
        given = self.get_serializer(shop, data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        return Response(self._read(shops.edit(shop=shop, actor=caller(request), **given.validated_data)))

    def _read(self, shop: Shop) -> Any:
        """As it is now; somebody who has just left it still gets this answer."""
        return self.get_serializer(Shop.objects.prefetch_related("members").get(pk=shop.pk)).data
