"""Handing mail over to the mail server: one connection for many messages, and what a failure means."""

from __future__ import annotations

import contextlib
import re
import secrets
import smtplib
from base64 import b64encode
from collections.abc import Iterator, Mapping
from email.policy import compat32
from email.utils import formatdate, parseaddr
from functools import lru_cache
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives, get_connection
from django.core.mail.backends.smtp import EmailBackend
from django.core.mail.message import (
    RFC5322_EMAIL_LINE_LENGTH_LIMIT,
    SafeMIMEText,
    forbid_multi_line_headers,
    sanitize_address,
)

if TYPE_CHECKING:
    from django.core.mail.backends.base import BaseEmailBackend

_CLOSING = 421  # "service not available, closing the channel"
_PERMANENT = 500
_CHARSET = "utf-8"
_LINE, _LONG = 76, RFC5322_EMAIL_LINE_LENGTH_LIMIT
# Bytes of a text in one encoded word
_WORD = 39
_LINE_END = re.compile(r"\r\n|\r|\n")
# An address that needs no closer look
_PLAIN = re.compile(r"[a-z0-9._+-]{1,64}@[a-z0-9-]+(\.[a-z0-9-]+)*", re.ASCII)


class Mail(EmailMultiAlternatives):
    """A text and its HTML, put into the bytes that Django makes of them, at a fraction of the price.

    But for a long subject: Django leaves its first line empty, and some programs show a space there.
    """

    def message(self, **_given: Any) -> Any:
        headers = {"Subject": str(self.subject), "From": self.from_email, "To": ", ".join(map(str, self.to))}
        headers["Date"] = formatdate(localtime=settings.EMAIL_USE_LOCALTIME)
        html = "".join(str(content) for content, _kind in self.alternatives)
        return _Written(headers | self.extra_headers, {"plain": str(self.body), "html": html})


class _Written:
    """All that the backends ask of a message. ValueError when somebody has smuggled a line into a header."""

    def __init__(self, headers: Mapping[str, str], texts: Mapping[str, str]) -> None:
        self._headers = [_checked(name, value) for name, value in headers.items()]
        self._texts = texts

    def as_bytes(self, unixfrom: bool = False, linesep: str = "\n") -> bytes:  # as Django calls it
        line = secrets.token_hex(20)  # too long a shot to be looked for in the texts
        first = [("Content-Type", f'multipart/alternative;\n boundary="{line}"'), ("MIME-Version", "1.0")]
        head = "".join(_folded(name, value) for name, value in (*first, *self._headers))
        parts = "".join(f"\n--{line}\n{_part(kind, text)}" for kind, text in self._texts.items())
        return _LINE_END.sub(linesep, f"{head}{parts}\n--{line}--\n").encode()


@lru_cache(maxsize=64)  # the sender's is that of the mail before
def _checked(name: str, value: str) -> tuple[str, str]:
    """A header with its value in ASCII, and in lines where it is encoded.

    What looks like an encoded word is encoded too: a mail program would show something else than was written.
    """
    if name == "Subject" and (not value.isascii() or "=?" in value) and not {"\r", "\n"} & set(value):
        return name, "\n ".join(_words(value.encode()))
    header: tuple[str, str] = forbid_multi_line_headers(name, value, _CHARSET)
    return header


def _words(text: bytes) -> Iterator[str]:
    """A text in encoded words of RFC 2047, each of whole characters, and each with room for a name before it."""
    while text:
        end = _WORD
        while text[end : end + 1] and text[end] & 0xC0 == 0x80:
            end -= 1
        yield f"=?{_CHARSET}?b?{b64encode(text[:end]).decode()}?="
        text = text[end:]


def _folded(name: str, value: str) -> str:
    """A header in its lines: those of Django are ASCII, and folded but for the length of their name."""
    header = f"{name}: {value}\n"
    return header if max(map(len, header.split("\n"))) <= _LINE else str(compat32.fold(name, value))


def _part(kind: str, text: str) -> str:
    if max((len(line.encode()) for line in text.splitlines()), default=0) > _LONG:
        return SafeMIMEText(text, kind, _CHARSET).as_string()
    bits = 7 if text.isascii() else 8
    head = f'Content-Type: text/{kind}; charset="{_CHARSET}"\nMIME-Version: 1.0\nContent-Transfer-Encoding: {bits}bit'
    return f"{head}\n\n{text}"


class RefusedError(Exception):
    """The server will never take this message for this address."""


class DelayedError(Exception):
    """The message was not taken this time.

    `is_unknown`: the connection broke while it was being handed over, so that it may have arrived all the same.
    `is_server`: it failed because of the server, not because of this message.
    """

    def __init__(self, reason: str, *, is_unknown: bool = False, is_server: bool = False) -> None:
        super().__init__(reason)
        self.is_unknown, self.is_server = is_unknown, is_server


class Postbox:
    """A connection to the mail server that is opened when it is first needed, kept, and renewed when it broke."""

    def __init__(self) -> None:
        self._backend: BaseEmailBackend | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._backend:
            with contextlib.suppress(OSError):
                self._backend.close()

    def send(self, message: EmailMessage) -> None:
        """Hands over a message for one address. Raises RefusedError or DelayedError."""
        _check_address(message.to[0])
        backend = self._open()
        try:
            _hand_over(backend, message)
        except smtplib.SMTPRecipientsRefused as error:
            code, text = next(iter(error.recipients.values()))
            raise self._answer(code, text, is_final=True) from error
        except smtplib.SMTPDataError as error:
            raise self._answer(error.smtp_code, error.smtp_error, is_final=True) from error
        except smtplib.SMTPResponseException as error:
            raise self._answer(error.smtp_code, error.smtp_error, is_final=False) from error
        except OSError as error:
            self._drop()
            raise DelayedError(_text(error), is_unknown=True, is_server=True) from error

    def _open(self) -> BaseEmailBackend:
        if self._backend is None:
            backend = get_connection()
            try:
                backend.open()
            except OSError as error:
                raise DelayedError(_text(error), is_server=True) from error
            self._backend = backend
        return self._backend

    def _answer(self, code: int, text: bytes | str, *, is_final: bool) -> RefusedError | DelayedError:
        """What the server's own answer means. A refused sender or log-in says nothing about the address."""
        words = text.decode(errors="replace") if isinstance(text, bytes) else text
        if is_final and code >= _PERMANENT:
            return RefusedError(f"{code} {words}")
        if code == _CLOSING or not is_final:
            self._drop()
        return DelayedError(f"{code} {words}", is_server=code == _CLOSING or not is_final)

    def _drop(self) -> None:
        """Forgets a broken connection without saying goodbye to a server that may not listen."""
        backend, self._backend = self._backend, None
        if socket := getattr(backend, "connection", None):
            with contextlib.suppress(OSError):
                socket.close()


def _hand_over(backend: BaseEmailBackend, message: EmailMessage) -> None:
    """Django parses both addresses anew for each mail; of plain ones there is nothing to find."""
    sender = _bare(message.from_email)
    if isinstance(backend, EmailBackend) and backend.connection and all(map(_PLAIN.fullmatch, [sender, *message.to])):
        content = message.message().as_bytes(linesep="\r\n")  # type: ignore[call-arg]  # Django's own
        backend.connection.sendmail(sender, message.to, content)
    else:
        backend.send_messages([message])


@lru_cache(maxsize=8)
def _bare(address: str) -> str:
    return parseaddr(address)[1]


def _check_address(address: str) -> None:
    if _PLAIN.fullmatch(address):
        return
    try:
        sanitize_address(address, "utf-8")
    except ValueError as error:
        raise RefusedError(_text(error)) from error


def _text(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
