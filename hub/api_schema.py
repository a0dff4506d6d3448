"""The description of the API: what drf-spectacular reads from the views, and what all calls have in common."""

import re
from typing import Any

from drf_spectacular.openapi import AutoSchema as ViewSchema
from drf_spectacular.utils import Direction, OpenApiExample, OpenApiParameter, OpenApiResponse
from rest_framework import serializers

from appeals.models import Appeal
from hub.api_words import meaning
from marketplaces.api.fields import KnownFields
from marketplaces.api.parsers import MultiPartParser
from marketplaces.api.views import SLUG

VERSIONED = ("channels", "topics", "response-targets", "escalation-steps", "shops", "appeals")
MOVES = ("submit", "replies", "messages", "escalate", "resolve", "reopen", "snooze", "undo")


class ErrorSerializer(serializers.Serializer[Any]):
    code = serializers.CharField(help_text="For programs.")
    detail = serializers.CharField(help_text="For people, in their language.")
    attr = serializers.CharField(allow_null=True, help_text="The field or parameter that it is about.")


class ErrorsSerializer(serializers.Serializer[Any]):
    """Every refusal has this shape."""

    type = serializers.ChoiceField(choices=["validation_error", "client_error", "server_error"])
    errors = ErrorSerializer(many=True)  # type: ignore[assignment]


class ConflictSerializer(ErrorsSerializer):
    """The state does not allow it. Where it is the state of an appeal: which it is, and which would do."""

    status = serializers.ChoiceField(choices=Appeal.Status.choices, required=False)
    allowed = serializers.ListField(child=serializers.ChoiceField(choices=Appeal.Status.choices), required=False)


def _refusal(text: str, kind: str, code: str, detail: str, attr: str | None = None, **extra: Any) -> OpenApiResponse:
    value = {"type": kind, "errors": [{"code": code, "detail": detail, "attr": attr}], **extra}
    shape = ConflictSerializer if code == "state" else ErrorsSerializer
    return OpenApiResponse(shape, text, examples=[OpenApiExample(code, value=value)])


REFUSALS = {
    "400": _refusal(
        "The input cannot be used; `attr` names the field or parameter.",
        "validation_error",
        "unknown_parameter",
        "There is no such parameter. Known here: ordering, cursor, page_size.",
        "statos",
    ),
    "401": _refusal(
        "No token, or one that does not work.", "client_error", "not_authenticated", "No token was given."
    ),
    "403": _refusal("Known, but not allowed.", "client_error", "permission_denied", "You may not do this."),
    "404": _refusal("Not there, or not yours.", "client_error", "not_found", "Not found."),
    "405": _refusal("This address has other methods.", "client_error", "method_not_allowed", "Method not allowed."),
    "406": _refusal("Answers are JSON.", "client_error", "not_acceptable", "The Accept header cannot be satisfied."),
    "408": _refusal(
        "The body did not arrive in time.",
        "client_error",
        "request_timeout",
        "The body of the request did not arrive in time.",
    ),
    "409": _refusal(
        "The state does not allow it, and nothing has changed.",
        "client_error",
        "state",
        "This cannot be done while the state is “Draft”; it could be in: “Waiting for the marketplace” or “Our turn”.",
        status="draft",
        allowed=["waiting", "our_turn"],
    ),
    "412": _refusal("`If-Match` names an old version.", "client_error", "stale", "It was changed since you read it."),
    "413": _refusal("The body is too large.", "client_error", "too_large", "This is more than the hub takes."),
    "415": _refusal("Another content type is needed.", "client_error", "unsupported_media_type", "Unsupported type."),
    "422": _refusal(
        "The `Idempotency-Key` was used for another request.",
        "client_error",
        "idempotency_key_reused",
        "This Idempotency-Key was used for another request.",
    ),
    "429": _refusal("Too many requests; see `Retry-After`.", "client_error", "throttled", "Request was throttled."),
    "503": _refusal(
        "A part of the hub does not answer now; see `Retry-After`. A POST is sent again under its key.",
        "server_error",
        "unavailable",
        "A part of the hub does not answer now. Please try again in a few seconds.",
    ),
    "507": _refusal(
        "There is no room for files; see `Retry-After`.",
        "server_error",
        "storage_full",
        "There is no room for files on the hub's storage. Its operator has to make some.",
    ),
}
_ANSWERS = {
    "create": "What was made.",
    "retrieve": "As it is now.",
    "partial_update": "As it is now.",
    "destroy": "It is gone.",
}


_SHORT = {
    "partial_update": "update",
    "destroy": "delete",
    "content_retrieve": "content",
    "promise_retrieve": "promise",
    "letter_retrieve": "letter",
    "evidence_retrieve": "evidence",
    "review_list": "review",
    "me_retrieve": "me",
    "contact_list": "contact",
    "escalation_path_list": "escalation_path",
}
_PLAIN = {"list": "List", "create": "Add", "retrieve": "Read", "partial_update": "Change", "destroy": "Delete"}
_ONE = {
    "marketplaces": "a marketplace",
    "channels": "a channel",
    "topics": "a topic",
    "response-targets": "a response target",
    "escalation-steps": "an escalation step",
    "shops": "a shop",
    "appeals": "an appeal",
    "reminders": "a reminder",
}


_NUMBER = {"type": "integer", "minimum": 1, "maximum": 10**18 - 1}
_IN_ADDRESS: dict[str, tuple[str, dict[str, Any]]] = {
    "id": ("Its number.", _NUMBER),
    "appeal_id": ("Number of the appeal.", _NUMBER),
    "slug": ("Its slug.", {"type": "string", "pattern": f"^{SLUG}$"}),
}


class AutoSchema(ViewSchema):
    """Adds the headers and the refusals that the protocol brings to every operation."""

    def get_tags(self) -> list[str]:
        """The last resource named in the address."""
        names = [part for part in self.path.removeprefix("/api/v1/").strip("/").split("/") if not part.startswith("{")]
        return [names[0]]

    def get_override_parameters(self) -> list[Any]:
        return [*super().get_override_parameters(), *self._headers_in(), *self._headers_out()]

    def _resolve_path_parameters(self, variables: list[str]) -> list[dict[str, Any]]:
        return [
            {"name": name, "in": "path", "required": True, "description": text, "schema": shape}
            for name in variables
            for text, shape in [_IN_ADDRESS[name]]
        ]

    def _headers_in(self) -> list[OpenApiParameter]:
        found = []
        if self.method == "POST":
            text = "A key of your own for this request, so that it can be sent again: it is done once."
            schema = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"}
            found.append(OpenApiParameter("Idempotency-Key", schema, OpenApiParameter.HEADER, description=text))
        if self._heeds_versions():
            text = "The `ETag` as you read it: it is written only if nobody has changed it since."
            found.append(OpenApiParameter("If-Match", str, OpenApiParameter.HEADER, description=text))
        return found

    def _headers_out(self) -> list[OpenApiParameter]:
        found = []
        if self._is_versioned():
            text = "The version of the row, for `If-Match`."
            found.append(OpenApiParameter("ETag", str, OpenApiParameter.HEADER, description=text, response=[200, 201]))
        if self.method == "POST":
            text = "`true` when this is the answer to an earlier request with this `Idempotency-Key`."
            replayed = {"type": "string", "enum": ["true"]}
            found.append(
                OpenApiParameter(
                    "Idempotent-Replayed", replayed, OpenApiParameter.HEADER, description=text, response=[200, 201]
                )
            )
        text, waits = "Seconds to wait.", [429, 503, 507] if self._takes_files() else [429, 503]
        found.append(OpenApiParameter("Retry-After", int, OpenApiParameter.HEADER, description=text, response=waits))
        return found

    def _heeds_versions(self) -> bool:
        return self.method in ("PATCH", "DELETE") or self.path.rstrip("/").endswith(MOVES) or self._takes_files()

    def _takes_files(self) -> bool:
        return self.method == "POST" and "multipart/form-data" in self.map_parsers()

    def _is_versioned(self) -> bool:
        parts = self.path.removeprefix("/api/v1/").strip("/").split("/")
        if parts[0] not in VERSIONED or self.method == "DELETE":
            return False
        return (len(parts) == 1 and self.method == "POST") or len(parts) == 2 or parts[-1] in MOVES

    def _get_response_bodies(self, direction: Direction = "response") -> dict[str, Any]:
        answers: dict[str, Any] = super()._get_response_bodies(direction)
        refusals = {
            code: self._get_response_for_code(  # type: ignore[no-untyped-call]
                REFUSALS[code], code, ["application/json"], direction
            )
            for code in self._refusals()
        }
        for answer in answers.values():
            answer["description"] = self._answer_text(str(answer["description"]))
        return dict(sorted((answers | refusals).items()))

    def _answer_text(self, own: str) -> str:
        if own not in ("", "No response body"):
            return own
        view: Any = self.view
        action = str(view.action)
        if action == "list":
            return "A page of the list." if view.pagination_class else "All of them, in order."
        return _ANSWERS[action]

    def _refusals(self) -> list[str]:
        writes = self.method in ("POST", "PATCH", "DELETE")
        has_body = self.method in ("POST", "PATCH")
        found = {"400", "401", "405", "406", "429", "503"}
        found |= {"404"} if "{" in self.path else set()
        found |= {"403"} if writes else set()
        found |= {"409"} if writes else set()
        found |= {"412"} if self._heeds_versions() else set()
        found |= {"408", "413", "415"} if has_body else set()
        found |= {"422"} if self.method == "POST" else set()
        found |= {"507"} if self._takes_files() else set()
        return sorted(found)

    def get_operation_id(self) -> str:
        """The name that generated clients give to the call: `appeals_submit`, not `appeals_submit_create`."""
        name: str = super().get_operation_id()
        for long, short in _SHORT.items():
            name = name.replace(long, short)
        return name.removesuffix("_create") if self.path.rstrip("/").endswith(MOVES) else name

    def get_summary(self) -> str:
        """What it does in a few words: the first clause of its own description, or the plain verb."""
        action = str(getattr(self.view, "action", ""))
        own = getattr(self.view, action, None)
        name = self.get_tags()[0]
        inherited = getattr(own, "__module__", "").startswith("rest_framework")
        if inherited and name in _ONE and self.path.count("/") == (5 if "{" in self.path else 4):
            thing = name.replace("-", " ") if action == "list" else _ONE[name]
            return f"{_PLAIN[action]} {thing}"
        text = " ".join(str(self.get_description()).split())
        return re.split(r"[.;:] ", f"{text} ", maxsplit=1)[0].removesuffix(".")

    def _map_basic_serializer(self, serializer: Any, direction: Direction) -> dict[str, Any]:
        """Requests take no field but the known ones, and each field says what it means; a parent class's words are not
        said of its children."""
        schema: dict[str, Any] = super()._map_basic_serializer(serializer, direction)  # type: ignore[no-untyped-call]
        kind = serializer if isinstance(serializer, type) else type(serializer)
        if "__doc__" not in vars(kind) or not kind.__doc__:
            schema.pop("description", None)
        if direction == "request" and issubclass(kind, KnownFields) and schema.get("properties"):
            schema["additionalProperties"] = False
        component = kind.__name__.removesuffix("Serializer")
        for name, field in schema.get("properties", {}).items():
            own = field.get("description", "")
            if (not own or own.startswith("* `")) and (text := meaning(component, name)):
                field["description"] = f"{text}\n\n{own}".strip()  # of a choice, what each value is called
        return schema

    def map_parsers(self) -> list[str]:
        forms = any(issubclass(parser, MultiPartParser) for parser in self.view.parser_classes)
        return ["multipart/form-data"] if forms else ["application/json"]
