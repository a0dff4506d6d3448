"""Letters of an appeal: a text to paste, a Word file to sign, or both apart with what is missing."""

from typing import Any, Final

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from appeals import documents, letters
from appeals.letters import Letter
from appeals.letters.gaps import Gap
from appeals.models import Appeal

TEXT: Final = "text/plain"
EXAMPLE: Final = {
    "kind": "follow_up",
    "language": "en",
    "title": "Follow-up, No. 7-123456",
    "text": "Hello,\n\nOn Oct. 5, 2026 we sent you the request No. 7-123456 “Where is the payment?”.",
    "notes": "This is a draft: a person must check it before it is sent.",
    "missing": [],
    "unconfirmed": [{"name": "Term of the answer", "note": "", "source": "S2"}],
}


class LetterQuery(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(
        choices=letters.Kind.choices,
        help_text="`follow_up` reminds of an answer that is due; `stock_reply` answers a stock phrase; `complaint` is"
        " for the operator's own pre-trial system; `claim` is the formal claim before a suit; `fas` goes to the"
        " antimonopoly service.",
    )
    language = serializers.ChoiceField(
        choices=settings.LANGUAGES,
        required=False,
        help_text="Without it: `ru`. Follow-ups and answers to a stock phrase are there in English too.",
    )

    def get_fields(self) -> dict[str, Any]:
        """With `as`, which no attribute of a class can be called."""
        text = "`text` to paste, `docx` to sign, `json` the text with what is missing beside it. Without it: `text`."
        choices = serializers.ChoiceField(choices=["text", "docx", "json"], required=False, help_text=text)
        return {**super().get_fields(), "as": choices}


class GapSerializer(serializers.Serializer[Gap]):
    """Something that the letter needs and nobody has entered; in the text stands a placeholder in brackets."""

    field = serializers.CharField()
    name = serializers.CharField(help_text="In your language.")
    where = serializers.CharField(help_text="What to do to enter it.")
    url = serializers.SerializerMethodField(help_text="The page where it is entered; null: by hand, in the letter.")

    def get_url(self, gap: Gap) -> str | None:
        return f"{settings.BASE_URL}{gap.url}" if gap.url else None


class DoubtSerializer(serializers.Serializer[Any]):
    """A fact of the directory in the letter that nobody has confirmed."""

    name = serializers.CharField()
    note = serializers.CharField()
    source = serializers.CharField(help_text="Keys of its sources.")  # type: ignore[assignment]


class LetterSerializer(serializers.Serializer[Letter]):
    kind = serializers.ChoiceField(choices=letters.Kind.choices)
    language = serializers.ChoiceField(choices=settings.LANGUAGES)
    title = serializers.CharField()
    text = serializers.CharField(source="plain", help_text="The letter alone.")
    notes = serializers.SerializerMethodField(help_text="What a person must check, and the sources of its facts.")
    missing = GapSerializer(many=True)
    unconfirmed = DoubtSerializer(many=True, source="doubts")

    def get_notes(self, letter: Letter) -> str:
        return documents.plain(letter.notes)


class LetterViewSet(GenericViewSet[Any]):
    queryset = Appeal.objects.select_related("shop__marketplace", "topic", "channel__marketplace")
    serializer_class = LetterSerializer
    query_serializer_class = LetterQuery
    pagination_class = None

    @extend_schema(
        parameters=[LetterQuery],
        responses={
            (200, TEXT): OpenApiResponse(
                OpenApiTypes.STR,
                "`as=text`: the letter, and under a line what to check.",
                examples=[OpenApiExample("a follow-up", value=f"{EXAMPLE['text']}\n\n----\n{EXAMPLE['notes']}")],
            ),
            (200, documents.MEDIA_TYPE): OpenApiResponse(OpenApiTypes.BINARY, "`as=docx`: the same as a file."),
            (200, "application/json"): OpenApiResponse(
                LetterSerializer, "`as=json`.", examples=[OpenApiExample("with what is beside it", value=EXAMPLE)]
            ),
        },
    )
    def retrieve(self, request: Request, appeal_id: str) -> HttpResponse:
        """A letter of this appeal, as it would be written now.

        It is a draft for a person to check. What is missing stands in it as a placeholder in brackets. Facts and terms
        are the directory's, and those that are not confirmed are marked.
        """
        visible: Any = self.get_queryset()
        appeal = get_object_or_404(visible.visible_to(request.user), pk=appeal_id)
        query = self.query_serializer_class(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        asked = {"language": "ru", "as": "text", **query.validated_data}
        letter = _letter(appeal, asked["kind"], asked["language"])
        if asked["as"] == "docx":
            return as_file(letter)
        if asked["as"] == "json":
            return Response(self.get_serializer(letter).data)
        return HttpResponse(letter.text, content_type=f"{TEXT}; charset=utf-8")

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        """`as` says what is wanted, not the Accept header."""
        return super().perform_content_negotiation(request, force=True)


def _letter(appeal: Appeal, kind: str, language: str) -> Letter:
    try:
        return letters.compose(appeal, kind, now=timezone.now(), language=language)
    except letters.NoSuchLanguageError as error:
        known = ", ".join(letters.languages(appeal, kind))
        text = _("This letter is there in: %(known)s.") % {"known": known}
        raise ValidationError({"language": [ErrorDetail(text, code="invalid_choice")]}) from error


def as_file(letter: Letter) -> HttpResponse:
    """The Word file, to be saved."""
    headers = {
        "Content-Disposition": content_disposition_header(True, letter.file_name) or "attachment",
        "X-Content-Type-Options": "nosniff",
    }
    return HttpResponse(letter.docx(), content_type=documents.MEDIA_TYPE, headers=headers)
