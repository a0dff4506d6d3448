"""The bytes of a mail: those that Django makes, which this project only makes faster."""

import email
import email.policy
import secrets
from typing import Any

import pytest
from django.core.mail import EmailMultiAlternatives
from django.core.mail.message import BadHeaderError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from time_machine import travel

from appeals.post import Mail

BOUNDARY = "b" * 40
# One line, as subjects are, that looks like no encoded word
SAID = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=200).filter(lambda said: "=?" not in said)
WRITTEN = st.lists(
    st.one_of(
        st.text(st.characters(codec="utf-8"), max_size=80), st.just("Ж" * 499), st.just("Ж" * 500), st.just(".")
    ),
    max_size=8,
).map("\n".join)
ENDS = st.sampled_from(["\n", "\r\n"])


def filled(mail: EmailMultiAlternatives, html: str) -> Any:
    mail.attach_alternative(html, "text/html")
    return mail


def django_bytes(mail: Any, linesep: str) -> bytes:
    mime: Any = mail.message()
    mime.set_boundary(BOUNDARY)
    made: bytes = mime.as_bytes(linesep=linesep)
    return made


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(subject=SAID, body=WRITTEN.filter(bool), html=WRITTEN.filter(bool), linesep=ENDS)
def test_a_mail_is_made_of_the_same_bytes_as_by_django(
    monkeypatch: pytest.MonkeyPatch, subject: str, body: str, html: str, linesep: str
) -> None:
    monkeypatch.setattr(secrets, "token_hex", lambda _length: BOUNDARY)
    headers = {
        "Message-ID": f"<reminder.{'0' * 40}@example.com>",
        "Auto-Submitted": "auto-generated",
        "X-Long": "y " * 99,
    }
    given: dict[str, Any] = {"subject": subject, "body": body, "to": ["agent@example.com"], "headers": headers}
    with travel("2026-10-14 12:00", tick=False):
        ours = filled(Mail(**given), html).message().as_bytes(linesep=linesep)
        assert ours == django_bytes(filled(EmailMultiAlternatives(**given), html), linesep)


def test_a_mail_program_reads_what_was_written() -> None:
    html = f"<p>Где деньги? {'Ж' * 600}</p>\n"
    mail = filled(Mail(subject="Где деньги?", body="Где деньги?\n.\n", to=["agent@example.com"]), html)
    read = email.message_from_bytes(mail.message().as_bytes(linesep="\r\n"), policy=email.policy.default)
    plain, rich = read.get_body(("plain",)), read.get_body(("html",))
    assert plain
    assert rich
    assert plain.get_content().splitlines() == ["Где деньги?", "."]
    assert rich.get_content().splitlines() == html.splitlines()


@pytest.mark.parametrize(
    "subject",
    ["Где деньги?", "Где деньги? " * 12 + "!", "Ж" * 150, "№" + " 1" * 70, "No. 1. =?utf-8?q?=41?="],
)
def test_a_subject_is_read_as_it_was_written(subject: str) -> None:
    """Django leaves the first line of a long one empty, which is read as a space before it."""
    written = filled(Mail(subject=subject, body="x", to=["agent@example.com"]), "<p>x</p>").message().as_bytes()
    assert email.message_from_bytes(written, policy=email.policy.default)["Subject"] == subject
    assert b"\nSubject: =?utf-8?" in written
    assert max(map(len, written.splitlines())) <= 78


@pytest.mark.parametrize("word", ["Where", "Где"])
def test_nobody_smuggles_a_header_in(word: str) -> None:
    mail = filled(Mail(subject=f"{word}?\nBcc: all@example.com", body="x", to=["agent@example.com"]), "<p>x</p>")
    with pytest.raises(BadHeaderError):
        mail.message()
