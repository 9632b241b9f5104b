"""One POST to a platform: what it answered, or ``Away`` with the reason in words.

Bounded: each request ends within ``timeout_s`` in all, also where the other end drips a byte a second;
answers are read to MAX_ANSWER_BYTES. TLS is verified. Redirects are refused: a token and a town's data go
where they were told to go and nowhere else. A token is read from its file for each request, so that a
renewed one counts at once.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from kiosk.core.errors import OperatorError
from sync.receiver.sinks import Away

MAX_ANSWER_BYTES = 256 * 1024
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_LATER = {408, 425, 429}
_NOT_LET_IN = {401, 403, 407}


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes


class Client:
    """Speaks to one address. One request at a time."""

    def __init__(
        self,
        url: str,
        *,
        timeout_s: float,
        token_file: Path | None = None,
        token_header: str = "Authorization",
        ca_file: Path | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._tls, self._host, self._port, self._base = _place(
            url, with_token=token_file is not None
        )
        self._timeout_s = timeout_s
        self._token_file = token_file
        self._token_header = token_header
        self._headers = dict(headers or {})
        self._context = _context(ca_file) if self._tls else None
        self._connection: http.client.HTTPConnection | None = None
        self._token()

    @property
    def place(self) -> str:
        """Host and port, for people."""
        return f"{self._host}:{self._port}"

    def post(self, path: str, body: bytes, content_type: str) -> Answer:
        """The answer, whatever it says about the body; ``Away`` where it says nothing about it."""
        kept = self._connection is not None
        try:
            answer, retry_after = self._exchange(path, body, content_type)
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError) as error:
            # The other end closes what was idle. What it got may come twice: ids make that harmless.
            self.close()
            if not kept:
                raise self._unreachable(error) from error
            try:
                answer, retry_after = self._exchange(path, body, content_type)
            except (OSError, http.client.HTTPException) as again:
                self.close()
                raise self._unreachable(again) from again
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise self._unreachable(error) from error
        _sort_out(self.place, answer, retry_after)
        return answer

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _exchange(self, path: str, body: bytes, content_type: str) -> tuple[Answer, str | None]:
        headers = self._headers | {"Content-Type": content_type, "Accept": "application/json"}
        if (token := self._token()) is not None:
            bearer = "Bearer " if self._token_header == "Authorization" else ""
            headers[self._token_header] = bearer + token
        if self._connection is None:
            self._connection = self._new()
            self._connection.connect()
        late = threading.Event()
        sock = self._connection.sock

        def give_up() -> None:
            late.set()
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # it ended by itself

        timer = threading.Timer(self._timeout_s, give_up)
        timer.daemon = True
        timer.start()
        try:
            self._connection.request("POST", self._base + path, body, headers)
            response = self._connection.getresponse()
            answer = Answer(response.status, response.read(MAX_ANSWER_BYTES))
            if response.will_close or not response.isclosed():
                self.close()  # what is left unread would be taken for the next answer
        except (OSError, http.client.HTTPException) as error:
            if late.is_set():
                raise TimeoutError from error
            raise
        finally:
            timer.cancel()
        if late.is_set():
            raise TimeoutError
        return answer, response.getheader("Retry-After")

    def _new(self) -> http.client.HTTPConnection:
        if self._context is None:
            return http.client.HTTPConnection(self._host, self._port, timeout=self._timeout_s)
        return http.client.HTTPSConnection(
            self._host, self._port, timeout=self._timeout_s, context=self._context
        )

    def _token(self) -> str | None:
        if self._token_file is None:
            return None
        try:
            token = self._token_file.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise Away(
                "token_unreadable",
                f"The token file {self._token_file} cannot be read ({error}).",
                "Correct --token-file, or who may read the file.",
            ) from error
        if not token.isprintable() or not token:
            raise Away(
                "token_unreadable",
                f"The token file {self._token_file} holds no token.",
                "Write the platform's token into it, on one line.",
            )
        return token

    def _unreachable(self, error: Exception) -> Away:
        what, todo = f"{self.place} cannot be reached", "It is tried again by itself."
        match error:
            case ssl.SSLCertVerificationError():
                return Away(
                    "tls_refused",
                    f"The certificate of {self.place} does not hold: {error.verify_message}.",
                    "Name its authority with --ca-file, or mend its certificate.",
                )
            case ssl.SSLError():
                return Away("tls_failed", f"No TLS with {self.place}: {error.reason}.", todo)
            case socket.gaierror():
                return Away("name_unknown", f"The name {self._host} is not known (DNS).", todo)
            case TimeoutError():
                return Away("no_answer", f"{self.place} does not answer in time.", todo)
            case OSError():
                return Away("unreachable", f"{what}: {error.strerror or error}.", todo)
        return Away("answer_torn", f"The answer of {self.place} is torn ({error}).", todo)


def _place(url: str, *, with_token: bool) -> tuple[bool, str, int, str]:
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = -1
    odd = parts.username or parts.password or parts.query or parts.fragment
    if parts.scheme not in ("http", "https") or not parts.hostname or port == -1 or odd:
        raise OperatorError(
            "platform_url",
            f"The platform's address {parts.scheme}://… is not one.",
            "Write https://HOST[:PORT][/PATH], a token in --token-file.",
        )
    tls = parts.scheme == "https"
    if with_token and not tls and parts.hostname not in _LOOPBACK:
        raise OperatorError(
            "token_in_the_clear",
            "The token would go over the network where anybody can read it.",
            "Use https://, or a proxy on this machine.",
        )
    return tls, parts.hostname, port or (443 if tls else 80), parts.path.rstrip("/")


def _context(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=str(ca_file) if ca_file else None)
    except OSError as error:
        raise OperatorError(
            "tls_files",
            f"The authority's file {ca_file} cannot be used ({error}).",
            "Correct --ca-file: PEM, readable by this service.",
        ) from error


def _sort_out(place: str, answer: Answer, retry_after: str | None) -> None:
    """Away for every answer that is not about the body."""
    status = answer.status
    wait_s = float(retry_after) if retry_after is not None and retry_after.isdecimal() else 0.0
    if 300 <= status < 400:
        raise Away(
            "redirected",
            f"{place} sends to another address ({status}); it is not followed.",
            "Name the address that answers itself with --to.",
        )
    if status in _NOT_LET_IN:
        raise Away(
            "not_let_in",
            f"{place} does not let this sink in ({status}).",
            "Renew the token in --token-file, or its rights.",
        )
    if status >= 500 or status in _LATER or status < 200:
        raise Away(
            "platform_failing",
            f"{place} cannot take anything now ({status}).",
            "It is tried again by itself; look at the platform if it stays.",
            retry_after_s=wait_s,
        )
