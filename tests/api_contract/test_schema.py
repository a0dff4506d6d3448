"""The description of the API is complete, and true."""

import re
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
import yaml
from drf_spectacular.drainage import GENERATOR_STATS, reset_generator_stats
from drf_spectacular.renderers import OpenApiYamlRenderer
from rest_framework.test import APIClient

from appeals.models import Appeal
from tests.api_contract.schema import generated

DESCRIPTION = Path(__file__).parents[2] / "docs" / "openapi.yaml"
METHODS = ("get", "post", "patch", "delete")
# What docs/api.md promises, and no more
PROMISED = """
GET marketplaces/
GET marketplaces/{slug}/
GET marketplaces/{slug}/contact/
GET marketplaces/{slug}/promise/
GET marketplaces/{slug}/escalation-path/
GET POST channels/
GET PATCH DELETE channels/{id}/
GET POST topics/
GET PATCH DELETE topics/{slug}/
GET POST response-targets/
GET PATCH DELETE response-targets/{id}/
GET POST escalation-steps/
GET PATCH DELETE escalation-steps/{id}/
GET POST shops/
GET PATCH shops/{id}/
GET POST appeals/
GET PATCH DELETE appeals/{id}/
POST appeals/{id}/submit/
POST appeals/{id}/replies/
POST appeals/{id}/messages/
POST appeals/{id}/escalate/
POST appeals/{id}/resolve/
POST appeals/{id}/reopen/
POST appeals/{id}/snooze/
POST appeals/{id}/undo/
GET appeals/{appeal_id}/events/
GET appeals/{appeal_id}/evidence/
GET appeals/{appeal_id}/letter/
GET appeals/{appeal_id}/review/
GET POST appeals/{appeal_id}/attachments/
GET appeals/{appeal_id}/attachments/{id}/content/
GET reminders/
POST reminders/{id}/send-again/
GET me/
"""


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return generated()


def operations(schema: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method, path, item[method]) for path, item in schema["paths"].items() for method in METHODS if method in item
    ]


def test_it_is_openapi_3_1_and_nothing_in_it_is_guessed(capsys: pytest.CaptureFixture[str]) -> None:
    reset_generator_stats()
    schema = generated()
    assert schema["openapi"].startswith("3.1.")
    assert not GENERATOR_STATS, capsys.readouterr().err
    for component in schema["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(component)


def test_every_path_of_the_contract_is_there_and_no_other(schema: dict[str, Any]) -> None:
    promised = {
        (method.lower(), f"/api/v1/{line.split()[-1]}")
        for line in PROMISED.strip().splitlines()
        for method in line.split()[:-1]
    }
    assert {(method, path) for method, path, _operation in operations(schema)} == promised


def test_every_operation_says_what_it_does_who_may_and_how_it_refuses(schema: dict[str, Any]) -> None:
    for method, path, operation in operations(schema):
        where = f"{method} {path}"
        assert len(operation["description"]) > 15, where
        assert operation["summary"], where
        assert operation["security"] == [{"token": []}, {"cookieAuth": []}], where
        wanted = {"400", "401", "405", "429", "503"}
        wanted |= {"404"} if "{" in path else set()
        wanted |= {"409", "415", "413", "422"} if method == "post" else set()
        wanted |= {"412"} if method in ("patch", "delete") else set()
        assert wanted <= set(operation["responses"]), where
        parameters = {parameter["name"]: parameter.get("description") for parameter in operation.get("parameters", [])}
        assert all(parameters.values()), where
        if method == "post":
            assert "Idempotency-Key" in parameters, where
        assert all(answer["description"] for answer in operation["responses"].values()), where
        for status in {"429", "503", "507"} & set(operation["responses"]):
            assert "Retry-After" in operation["responses"][status]["headers"], where


def test_every_field_says_what_it_means(schema: dict[str, Any]) -> None:
    """Where it is a choice and nothing else, its choices do."""
    assert len(schema["info"]["description"]) > 50
    silent = [
        f"{name}.{field}"
        for name, component in schema["components"]["schemas"].items()
        for field, shape in component.get("properties", {}).items()
        if not shape.get("description") and not is_choice(shape, schema)
    ]
    assert silent == []


def is_choice(shape: dict[str, Any], schema: dict[str, Any]) -> bool:
    """Whether it is an enumeration, or one of them or null."""
    parts = [*shape.get("oneOf", ()), *shape.get("allOf", ())] or [shape]
    return all({"enum"} & (found := target(part, schema)).keys() or found.get("type") == "null" for part in parts)


def target(shape: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = schema["components"]["schemas"].get(shape.get("$ref", "").split("/")[-1], shape)
    return found


def test_every_request_takes_known_fields_only(schema: dict[str, Any]) -> None:
    for name, component in schema["components"]["schemas"].items():
        if name.endswith("Request"):
            assert component["additionalProperties"] is False, name


WITHOUT_FIELDS = ("/undo/", "/send-again/")


def test_each_move_takes_its_own_fields(schema: dict[str, Any]) -> None:
    for method, path, operation in operations(schema):
        if method == "post" and not path.endswith(WITHOUT_FIELDS):
            (media,) = operation["requestBody"]["content"].values()
            assert path.endswith("appeals/") == media["schema"]["$ref"].endswith("/AppealRequest"), path


def test_examples_fit_what_they_are_examples_of(schema: dict[str, Any]) -> None:
    found = 0
    for method, path, operation in operations(schema):
        bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
        for media in (media for body in bodies for media in body.get("content", {}).values()):
            whole = media["schema"] | {"components": schema["components"]}
            for example in media.get("examples", {}).values():
                jsonschema.Draft202012Validator(whole).validate(example["value"])
                found += method == "post" and path.startswith("/api/v1/appeals/")
    assert found > 20


def test_the_description_kept_with_the_documents_is_the_present_one(schema: dict[str, Any]) -> None:
    """`manage.py spectacular --lang en --file docs/openapi.yaml` writes it; a changed API is then seen in review."""
    kept = yaml.safe_load(DESCRIPTION.read_text())
    renderer: Any = OpenApiYamlRenderer()
    assert kept == yaml.safe_load(renderer.render(schema, renderer_context={}))


def test_anybody_reads_the_description_and_the_interactive_page_needs_no_other_host(db: None) -> None:
    client = APIClient()
    answer = client.get("/api/schema/", headers={"Accept": "application/vnd.oai.openapi+json"})
    assert answer.status_code == 200
    assert answer.json()["info"]["title"] == "Seller support hub"
    page = client.get("/api/docs/").content.decode()
    assert "swagger-ui" in page
    assert re.findall(r"https?://(?!testserver)", page) == []


def test_answers_fit_the_description(
    api: APIClient, admin_api: APIClient, schema: dict[str, Any], sent: Appeal, draft: Appeal
) -> None:
    """One answer of each read operation, against its own schema; `test_fuzz` tries the rest."""
    api.post(f"/api/v1/appeals/{sent.pk}/replies/", {"kind": "question", "text": "?"})
    numbers = {"channels": sent.channel_id, "shops": sent.shop_id, "appeals": sent.pk}
    tried = 0
    for method, path, operation in operations(schema):
        name = path.split("/")[3]
        if method != "get" or "content" in path or "evidence" in path or (name not in numbers and "{id}" in path):
            continue
        slug = "bazaar" if name == "marketplaces" else "money"
        asked = {"kind": "claim", "as": "json"} if path.endswith("letter/") else {}
        answer = api.get(path.format(id=numbers.get(name), appeal_id=sent.pk, slug=slug), asked)
        assert answer.status_code == 200, path
        body = operation["responses"]["200"]["content"]["application/json"]["schema"]
        whole = body | {"components": schema["components"]}
        jsonschema.Draft202012Validator(whole, format_checker=jsonschema.FormatChecker()).validate(answer.json())
        tried += 1
    assert tried >= 18
