"""What got into a page or among the files does no harm. test_every_page.py looks that the policy stands everywhere."""

import json

import pytest
from django.core.files.base import ContentFile
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page

from appeals import lifecycle, shops
from appeals.models import Attachment
from hub.models import User
from marketplaces.models import Marketplace

from .conftest import log_in
from .listening import hear_refusals, wait_until

pytestmark = pytest.mark.browser


@pytest.fixture
def refused(page: Page) -> list[str]:
    return hear_refusals(page)


def test_a_script_that_got_into_a_page_does_not_run(page: Page, refused: list[str], administrator: User) -> None:
    log_in(page, administrator)
    page.evaluate(
        "document.body.insertAdjacentHTML('beforeend', "
        "`<img src=x onerror=\"document.title='run'\"><a id=evil href=\"javascript:document.title='run'\">x</a>`)"
    )
    page.evaluate("document.getElementById('evil').click()")
    wait_until(lambda: all(one in "".join(refused) for one in ("script-src-attr", "script-src-elem")), page)
    assert page.title() != "run"


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
    page: Page, administrator: User, name: str, content: bytes
) -> None:
    """Both doors refuse such files. One that came in some other way, a mail for example, does no harm either."""
    now = timezone.now()
    shop = shops.create(actor=administrator, name="Чайный дом", marketplace=Marketplace.objects.get(slug="ozon"))
    appeal = lifecycle.create(actor=administrator, now=now, shop=shop, subject="Нет выплаты")
    kept = Attachment.objects.create(
        appeal=appeal,
        file=ContentFile(content, "file"),
        name=name,
        content_type="image/svg+xml" if name.endswith("svg") else "text/html",
        size=len(content),
        sha256="0" * 64,
        created_at=now,
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
