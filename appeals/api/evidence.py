"""Evidence packs: all that there is of an appeal, or of its whole matter, as one ZIP."""

from io import BytesIO
from typing import Any, Final

from django.http import FileResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.viewsets import GenericViewSet

from appeals import chain, evidence
from appeals.api.people import caller
from appeals.models import Appeal
from marketplaces.api.fields import AddressFlag

ZIP: Final = "application/zip"


class EvidenceQuery(serializers.Serializer[Any]):
    matter = AddressFlag(
        required=False,
        help_text="`true`: of all appeals of the matter, those that it continues and those that continue it.",
    )


class EvidenceViewSet(GenericViewSet[Any]):
    queryset = Appeal.objects.select_related("shop__marketplace", "topic", "channel__marketplace")
    query_serializer_class = EvidenceQuery
    pagination_class = None

    @extend_schema(
        parameters=[EvidenceQuery],
        responses={(200, ZIP): OpenApiResponse(OpenApiTypes.BINARY, "The pack.")},
    )
    def retrieve(self, request: Request, appeal_id: str) -> FileResponse:
        """A ZIP for a lawyer: chronology, all texts, files and mails, and a manifest with their SHA-256.

        The same data give the same bytes. That a pack was taken is noted on the timeline; it is no part of a pack.
        `HEAD` takes none: nothing is made, and nothing noted.
        """
        visible = self.get_queryset().visible_to(request.user)  # type: ignore[attr-defined]
        appeal = get_object_or_404(visible, pk=appeal_id)
        query = self.query_serializer_class(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        packed = [appeal]
        if query.validated_data.get("matter"):
            packed = list(visible.filter(pk__in=chain.members(appeal)).order_by("pk"))
        taken = request.method != "HEAD"
        file = evidence.take(appeals=packed, actor=caller(request), now=timezone.now()) if taken else BytesIO()
        answer = FileResponse(file, as_attachment=True, filename=evidence.name(packed), content_type=ZIP)
        if not taken:
            del answer.headers["Content-Length"]  # of a pack that was not made
        return answer

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        """A ZIP is what it is, whatever the caller would rather have."""
        return super().perform_content_negotiation(request, force=True)
