"""Handing mail over to the mail server: one connection for many messages, and what a failure means."""

from __future__ import annotations

import contextlib
import re
import secrets
import smtplib
from email.policy import Compat32
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from django.core.mail import EmailMessage, EmailMultiAlternatives, get_connection
from django.core.mail.message import sanitize_address

if TYPE_CHECKING:
    from django.core.mail.backends.base import BaseEmailBackend

_CLOSING = 421  # "service not available, closing the channel"
_PERMANENT = 500
_LINE = 70
# An address that needs no closer look
_PLAIN = re.compile(r"[a-z0-9._+-]{1,64}@[a-z0-9-]+(\.[a-z0-9-]+)*", re.ASCII)


class _Policy(Compat32):
    """The mail package's own, which takes its time over every header, with a short way for those that fit a line."""

    def fold_binary(self, name: str, value: str) -> bytes:
        if isinstance(value, str) and value.isascii() and value.isprintable() and len(name) + len(value) < _LINE:
            return f"{name}: {value}{self.linesep}".encode()
        folded: bytes = super().fold_binary(name, value)
        return folded


class Mail(EmailMultiAlternatives):
    """A text and its HTML, put into bytes at half the price."""

    def message(self, **given: Any) -> Any:
        mime = super().message(**given)
        mime.policy = _POLICY
        mime.set_boundary(secrets.token_hex(20))  # too long a shot to be looked for in the text
        return mime


_POLICY = _Policy()


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
            backend.send_messages([message])
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


def _check_address(address: str) -> None:
    if _PLAIN.fullmatch(address):
        return
    try:
        sanitize_address(address, "utf-8")
    except ValueError as error:
        raise RefusedError(_text(error)) from error


def _text(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
