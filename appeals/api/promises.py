"""Before an appeal is sent: where to write, and what would be promised."""

from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from appeals import promises
from appeals.api.serializers import TargetSerializer
from appeals.contact import where_to_write
from marketplaces import contact
from marketplaces.api.fields import AddressFlag, AddressKey, AddressMoment, Moment, Slug
from marketplaces.api.serializers import ChannelSerializer
from marketplaces.models import Channel, Marketplace, Priority, Topic


class ContactQuery(serializers.Serializer[Any]):
    topic = Slug(queryset=Topic.objects.all(), required=False, help_text="Slug of the topic.")
    account_access = AddressFlag(required=False, help_text="Whether the seller account can still be entered.")
    at = AddressMoment(required=False, help_text="When to write; without it: now.")


class PromiseQuery(serializers.Serializer[Any]):
    topic = Slug(queryset=Topic.objects.all(), required=False, help_text="Slug of the topic.")
    channel = AddressKey(queryset=Channel.objects.all(), required=False, help_text="Number of the channel.")
    priority = serializers.ChoiceField(
        choices=Priority.choices, required=False, help_text="Some marketplaces promise other terms for urgent matters."
    )
    is_complex = AddressFlag(required=False, help_text="Some promise other terms for complex cases.")
    at = AddressMoment(required=False, help_text="When the message is sent; without it: now.")


class MeasuredSerializer(serializers.Serializer[contact.Measured]):
    """How soon the first reply came to our own appeals."""

    median = serializers.SerializerMethodField(help_text="In seconds.")
    count = serializers.IntegerField(help_text="Of how many appeals.")

    def get_median(self, measured: contact.Measured) -> int:
        return int(measured.median.total_seconds())


class ContactSerializer(ChannelSerializer):
    """A channel at the moment that was asked about, with what to expect of it. The context holds what was found."""

    promised = serializers.SerializerMethodField(help_text="Seconds within which a first reply is promised.")
    measured = serializers.SerializerMethodField(help_text="Null until there are answered appeals on this channel.")
    why = serializers.SerializerMethodField(help_text="Why it stands where it stands, in a sentence.")

    class Meta(ChannelSerializer.Meta):
        fields = (*ChannelSerializer.Meta.fields, "promised", "measured", "why")  # type: ignore[assignment]

    def get_promised(self, channel: Channel) -> int | None:
        promised = self._found(channel).promised
        return None if promised is None else int(promised.total_seconds())

    @extend_schema_field(MeasuredSerializer(allow_null=True))
    def get_measured(self, channel: Channel) -> Any:
        measured = self._found(channel).measured
        return MeasuredSerializer(measured).data if measured else None

    def get_why(self, channel: Channel) -> str:
        return self._found(channel).why

    def _found(self, channel: Channel) -> contact.Contact:
        found: contact.Contact = self.context["found"][channel.pk]
        return found


class PromiseSerializer(serializers.Serializer[promises.Promise]):
    target = TargetSerializer()
    due_at = Moment()
    why = serializers.CharField(help_text="Which promise it is, and where it is known from.")


class PromisesSerializer(serializers.Serializer[Any]):
    first_reply = PromiseSerializer(allow_null=True)
    answer = PromiseSerializer(allow_null=True)


class OfMarketplace(GenericViewSet[Any]):
    queryset = Marketplace.objects.all()
    pagination_class = None
    query_serializer_class: type[serializers.Serializer[Any]]

    def asked(self) -> tuple[Marketplace, dict[str, Any]]:
        """The marketplace, and what was asked about it."""
        marketplace = get_object_or_404(Marketplace, slug=self.kwargs["slug"])
        query = self.query_serializer_class(data=self.request.query_params.dict())
        query.is_valid(raise_exception=True)
        given = dict(query.validated_data)
        for name in ("topic", "channel"):
            if name in given and given[name].marketplace_id not in (None, marketplace.pk):
                raise ValidationError({name: [ErrorDetail(_("It belongs to another marketplace."), code="invalid")]})
        given.setdefault("at", timezone.now())
        return marketplace, given


class ContactViewSet(OfMarketplace):
    serializer_class = ContactSerializer
    query_serializer_class = ContactQuery

    @extend_schema(parameters=[ContactQuery], responses=ContactSerializer(many=True))
    def list(self, request: Request, slug: str) -> Response:
        """Where to write now: the channels that can be used, best first.

        Help centres, where nobody answers, and channels that are dead or disputed stand in `channels/` only.
        """
        marketplace, given = self.asked()
        places, _promises = where_to_write(marketplace, reader=request.user, **given)
        found = {one.channel.pk: one for one in places.write}
        context = {**self.get_serializer_context(), "now": given["at"], "found": found}
        return Response(ContactSerializer([one.channel for one in places.write], many=True, context=context).data)


class PromiseViewSet(OfMarketplace):
    serializer_class = PromisesSerializer
    query_serializer_class = PromiseQuery

    @extend_schema(parameters=[PromiseQuery])
    def retrieve(self, request: Request, slug: str) -> Response:
        """What the marketplace would promise for a message sent at that moment; null where it promises nothing."""
        marketplace, given = self.asked()
        return Response(PromisesSerializer(promises.promise(marketplace=marketplace, **given)).data)
