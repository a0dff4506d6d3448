"""No page of the workplace asks the browser for anything that its Content-Security-Policy forbids."""

import json
import re

import pytest
from django.core.files.base import ContentFile
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import ConsoleMessage, Page

from appeals.models import Appeal, Attachment
from hub.models import User

from .conftest import log_in
from .test_accessibility import addresses, appeal

__all__ = ["appeal"]  # the fixture

pytestmark = pytest.mark.browser

STRANGERS = ["admin:login", "admin_password_reset", "password_reset_done"]
FURTHER = ["second-step", "docs", "admin:hub_apitoken_changelist", "offers", "directory-upload"]
REPORT = """
document.addEventListener("securitypolicyviolation", (event) => {
  console.error("Content Security Policy: " + [event.violatedDirective, event.blockedURI, event.sourceFile].join(" "));
});
"""


@pytest.fixture
def refused(page: Page) -> list[str]:
    found: list[str] = []

    def hear(message: ConsoleMessage) -> None:
        if re.search("content.security.policy|permissions.policy", message.text, re.IGNORECASE):
            found.append(f"{page.url}: {message.text}")

    page.add_init_script(REPORT)
    page.on("console", hear)
    return found


def test_the_policy_stands_on_every_page_and_refuses_nothing_that_the_page_needs(
    page: Page, refused: list[str], appeal: Appeal, administrator: User
) -> None:
    for name in STRANGERS:
        page.goto(reverse(name), wait_until="networkidle")
    log_in(page, administrator)
    for address in [*addresses(appeal), *map(reverse, FURTHER)]:
        answer = page.goto(address, wait_until="load")
        assert answer
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy, address
        assert "unsafe-inline" not in policy.partition("script-src")[2].partition(";")[0], address
        page.wait_for_load_state("networkidle")
    assert not refused, "\n".join(refused)


def test_a_script_that_got_into_a_page_does_not_run(page: Page, refused: list[str], administrator: User) -> None:
    log_in(page, administrator)
    page.evaluate(
        "document.body.insertAdjacentHTML('beforeend', "
        "`<img src=x onerror=\"document.title='run'\"><a id=evil href=\"javascript:document.title='run'\">x</a>`)"
    )
    page.evaluate("document.getElementById('evil').click()")
    page.wait_for_timeout(300)
    assert page.title() != "run"
    assert len(refused) >= 2


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("page.html", b"<!doctype html><script>document.title = 'run'</script>"),
        (
            "drawing.svg",
            b'<svg xmlns="http://www.w3.org/2000/svg"><script>document.title = "run"</script></svg>',
        ),
    ],
)
def test_an_uploaded_page_or_drawing_is_saved_and_never_shown(
    page: Page, appeal: Appeal, administrator: User, name: str, content: bytes
) -> None:
    """Both doors refuse such files. One that came in some other way, a mail for example, does no harm either."""
    kept = Attachment.objects.create(
        appeal=appeal,
        file=ContentFile(content, "file"),
        name=name,
        content_type="image/svg+xml" if name.endswith("svg") else "text/html",
        size=len(content),
        sha256="0" * 64,
        created_at=timezone.now(),
    )
    log_in(page, administrator)
    for address in (
        reverse("admin:appeals_appeal_file", args=[appeal.pk, kept.pk]),
        f"/api/v1/appeals/{appeal.pk}/attachments/{kept.pk}/content/",
    ):
        with page.expect_download() as saved:
            page.evaluate(f"location.href = {json.dumps(address)}")
        assert saved.value.suggested_filename == name
        answer = page.request.get(address)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in answer.headers["content-security-policy"]
        assert answer.headers["content-disposition"].startswith("attachment")
