"""What belongs to one appeal: its events and its files."""

from typing import Any

from django.db.models import QuerySet
from django.http import FileResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.mixins import ListModelMixin
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from appeals import lifecycle
from appeals.api.people import MayWork, caller
from appeals.api.serializers import AttachmentSerializer, EventSerializer, UploadSerializer
from appeals.models import Appeal, Attachment, Event
from appeals.state import locked
from marketplaces.api.parsers import MultiPartParser
from marketplaces.api.views import DIGITS


class OfAppeal(GenericViewSet[Any]):
    """Rows of one appeal; of an appeal that the caller does not see, nothing is there."""

    def appeal(self) -> Appeal:
        return get_object_or_404(Appeal.objects.visible_to(self.request.user), pk=self.kwargs["appeal_id"])

    def get_queryset(self) -> QuerySet[Any]:
        return super().get_queryset().filter(appeal=self.appeal())


class EventViewSet(ListModelMixin, OfAppeal):
    """The timeline of an appeal."""

    queryset = Event.objects.select_related("actor", "undone_by")
    serializer_class = EventSerializer
    ordering = "at"
    ordering_fields = ("at",)


class AttachmentViewSet(ListModelMixin, OfAppeal):
    """The files of an appeal."""

    queryset = Attachment.objects.select_related("uploaded_by")
    serializer_class = AttachmentSerializer
    parser_classes = [MultiPartParser]
    permission_classes = [IsAuthenticated, MayWork]
    lookup_value_regex = DIGITS
    ordering = "created_at"
    ordering_fields = ("created_at",)

    @extend_schema(
        request={"multipart/form-data": UploadSerializer},
        responses={201: AttachmentSerializer},
    )
    def create(self, request: Request, appeal_id: str) -> Response:
        """Attaches a file, sent as `multipart/form-data` in the part `file`. What it is, is told by its bytes.

        `If-Match` names the version of the appeal, as in its other writes.
        """
        appeal = locked(self.appeal())
        self.check_object_permissions(request, appeal)
        form = UploadSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        file = form.validated_data["file"]
        name = file.name.replace("%22", '"')  # so do forms write a quotation mark
        attachment = lifecycle.attach(appeal=appeal, actor=caller(request), now=timezone.now(), file=file, name=name)
        return Response(self.get_serializer(attachment).data, status=status.HTTP_201_CREATED)

    @extend_schema(responses={(200, "*/*"): OpenApiResponse(OpenApiTypes.BINARY, "The file.")})
    @action(detail=True, methods=["get"])
    def content(self, request: Request, appeal_id: str, pk: str) -> FileResponse:
        """The file itself, to be saved and not to be shown in place."""
        attachment = self.get_object()
        try:
            file = attachment.file.open("rb")
        except FileNotFoundError as error:
            raise NotFound from error
        answer = FileResponse(file, as_attachment=True, filename=attachment.name, content_type=attachment.content_type)
        answer.headers["X-Content-Type-Options"] = "nosniff"
        answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
        return answer

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        """A file is what it is, whatever the caller would rather have."""
        return super().perform_content_negotiation(request, force=force or self.action == "content")
