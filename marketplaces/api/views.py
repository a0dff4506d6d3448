"""The directory: every user reads it, editors write it."""

from typing import TYPE_CHECKING, Any, cast

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.permissions import DjangoModelPermissions, IsAuthenticated
from rest_framework.viewsets import GenericViewSet, ModelViewSet

from marketplaces import upkeep
from marketplaces.api import filters
from marketplaces.api.serializers import (
    ChannelSerializer,
    EscalationStepSerializer,
    MarketplaceSerializer,
    ResponseTargetSerializer,
    TopicSerializer,
)
from marketplaces.models import Channel, EscalationStep, Marketplace, ResponseTarget, Topic
from marketplaces.signals import place_of, tell_of_promises

if TYPE_CHECKING:
    from hub.models import User

DIGITS = "[0-9]{1,18}"
SLUG = "[-a-zA-Z0-9_]{1,60}"


class MarketplaceViewSet(ListModelMixin, RetrieveModelMixin, GenericViewSet[Marketplace]):
    """The marketplaces that the hub knows."""

    queryset = Marketplace.objects.all()
    serializer_class = MarketplaceSerializer
    lookup_field = "slug"
    lookup_value_regex = SLUG
    ordering = "slug"
    ordering_fields = ("slug", "name")


class DirectoryViewSet(ModelViewSet[Any]):
    """What every user reads and editors write. What was retired is in no list, but still read by its address.

    After a change of what deadlines are counted by, running deadlines are recomputed in the background.
    """

    permission_classes = [IsAuthenticated, DjangoModelPermissions]
    http_method_names = ["get", "post", "patch", "delete"]
    lookup_value_regex = DIGITS

    def get_queryset(self) -> QuerySet[Any]:
        rows = super().get_queryset()
        return rows.filter(retired_at=None) if self.action == "list" else rows

    def perform_destroy(self, instance: Any) -> None:
        actor = cast("User", self.request.user)
        upkeep.delete(row=instance, actor=actor, now=timezone.now())
        tell_of_promises(type(instance), place_of(instance), actor=actor)


class ChannelViewSet(DirectoryViewSet):
    """Ways to reach the support of a marketplace. Every user reads them, directory editors write them.

    A change moves the running deadlines of the marketplace, in the background.
    """

    queryset = Channel.objects.select_related("marketplace").prefetch_related("topics")
    serializer_class = ChannelSerializer
    filterset_class = filters.Channels
    ordering = "id"
    ordering_fields = ("id", "name", "verified_on")


class TopicViewSet(DirectoryViewSet):
    """What appeals are about. Every user reads them, directory editors write them."""

    queryset = Topic.objects.select_related("marketplace")
    serializer_class = TopicSerializer
    filterset_class = filters.Topics
    lookup_field = "slug"
    lookup_value_regex = SLUG
    ordering = "position"
    ordering_fields = ("position", "slug", "name")


class ResponseTargetViewSet(DirectoryViewSet):
    """Promises of the marketplaces: how long a reply may take. What a target does not name it does not ask for.

    Every user reads them, directory editors write them. A change moves the running deadlines of the marketplace, in
    the background.
    """

    queryset = ResponseTarget.objects.select_related("marketplace", "topic")
    serializer_class = ResponseTargetSerializer
    filterset_class = filters.ResponseTargets
    ordering = "id"
    ordering_fields = ("id", "verified_on")


class EscalationStepViewSet(DirectoryViewSet):
    """Steps of the escalation paths. Every user reads them, directory editors write them.

    A change moves the running deadlines of the marketplace, in the background.
    """

    queryset = EscalationStep.objects.select_related("marketplace").prefetch_related("requires")
    serializer_class = EscalationStepSerializer
    filterset_class = filters.EscalationSteps
    ordering = "id"
    ordering_fields = ("id", "position")


class EscalationPathViewSet(ListModelMixin, GenericViewSet[EscalationStep]):
    """The steps that a seller can take on a marketplace, in order."""

    queryset = EscalationStep.objects.select_related("marketplace").prefetch_related("requires")
    serializer_class = EscalationStepSerializer
    ordering = "position"

    def get_queryset(self) -> QuerySet[EscalationStep]:
        marketplace = get_object_or_404(Marketplace, slug=self.kwargs["slug"])
        return super().get_queryset().filter(pk__in=EscalationStep.objects.sellers_path(marketplace).values("pk"))
