"""What a text lacks before it is sent."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from appeals.models import Appeal
from appeals.review import Facts, Finding, Severity, review

EXAMPLE: list[dict[str, Any]] = [
    {
        "code": "no_order_number",
        "severity": "error",
        "message": "There is no order number. Appeals on this topic are sent back without it.",
        "field": "order_numbers",
        "mend": "Give the order numbers.",
        "place": None,
        "appeal": None,
    },
    {
        "code": "shouting",
        "severity": "warning",
        "message": "Several exclamation marks read as shouting.",
        "field": "body",
        "mend": "Write as usual: a calm text is read to its end.",
        "place": {"start": 41, "end": 44},
        "appeal": None,
    },
]


class PlaceSerializer(serializers.Serializer[Any]):
    """Where in the text of the field, in characters (code points): the first of the place, and the first after it."""

    start = serializers.IntegerField(min_value=0)
    end = serializers.IntegerField(min_value=0)


class FindingSerializer(serializers.Serializer[Finding]):
    code = serializers.CharField(help_text="For programs. New ones may come.")
    severity = serializers.ChoiceField(
        choices=Severity.choices,
        help_text="`error`: it will hardly be answered so; `warning`: better mended; `hint`: advice.",
    )
    message = serializers.CharField(help_text="For people, in your language.")
    field = serializers.CharField(help_text="The field of the appeal; `attachments`: its files.")
    mend = serializers.CharField(help_text="What to do about it, in your language.")
    place = serializers.SerializerMethodField(help_text="Null where it is not about one place.")
    appeal = serializers.IntegerField(
        allow_null=True, help_text="Number of another appeal that it is about: one with the same number, say."
    )

    @extend_schema_field(PlaceSerializer(allow_null=True))
    def get_place(self, finding: Finding) -> dict[str, int] | None:
        return {"start": finding.place[0], "end": finding.place[1]} if finding.place else None


class ReviewViewSet(GenericViewSet[Any]):
    queryset = Appeal.objects.select_related("shop__marketplace", "topic", "channel__marketplace", "previous")
    serializer_class = FindingSerializer
    pagination_class = None

    def get_queryset(self) -> QuerySet[Appeal]:
        rows: Any = super().get_queryset()
        visible: QuerySet[Appeal] = rows.visible_to(self.request.user)
        return visible

    @extend_schema(
        responses={
            200: OpenApiResponse(
                FindingSerializer(many=True), examples=[OpenApiExample(one["code"], one) for one in EXAMPLE]
            )
        }
    )
    def list(self, request: Request, appeal_id: str) -> Response:
        """What the text lacks before it is sent, the gravest first. Nothing of it forbids sending.

        The advice of the platforms and of the trade: numbers, dates, evidence and the wished outcome where the topic
        needs them; one matter, no shouting, no abuse; a channel that is right and open; and whether the same text went
        to this marketplace in the last two weeks.
        """
        appeal = get_object_or_404(self.get_queryset(), pk=appeal_id)
        found = review(Facts.of(appeal), reader=request.user, now=timezone.now())
        rows: Any = found
        return Response(FindingSerializer(rows, many=True).data)
