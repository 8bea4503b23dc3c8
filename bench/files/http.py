"""One answer of a web server: the bytes of a file from some place on.

The standard library's client: the requirements (ranges, validators, no step from https to http)
are a few headers, and none of the libraries at hand resumes, verifies and replaces together
(pooch does not resume, huggingface_hub serves the hub alone).
"""

from __future__ import annotations

import http.client
import re
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from typing import IO, Any
from urllib.parse import urlsplit

from bench.core.errors import BenchError
from bench.project import __version__

CHUNK = 1 << 20


class TransientError(Exception):
    """A failure that may be gone at the next try."""


class RangeError(TransientError):
    """The server does not have the requested part."""


@dataclass(frozen=True)
class Answer:
    """The answer of a server, its body not read.

    Attributes:
        start: the place in the file of its first byte.
        total: length of the whole file; None where the server does not say.
        validator: what the server calls this version of the file; empty: nothing to rely on.
        whole: whether the end of the file can be told from a cut.
        page: whether it is a web page.
        body: the bytes from ``start`` on.
    """

    start: int
    total: int | None
    validator: str
    whole: bool
    page: bool
    body: http.client.HTTPResponse

    def chunks(self) -> Iterator[bytes]:
        """Yield the bytes as they come.

        Raises:
            TransientError: the connection broke, or nothing came in time.
        """
        while True:
            try:
                chunk = self.body.read1(CHUNK)
            except (OSError, http.client.HTTPException) as error:
                raise TransientError(f"the connection broke ({_reason(error)})") from None
            if not chunk:
                return
            yield chunk


@contextmanager
def request(url: str, start: int, validator: str, timeout: float) -> Iterator[Answer]:
    """Request the file at ``url`` from ``start`` on, if it is still the version ``validator``.

    The server may begin at 0 all the same: see ``Answer.start``.

    Raises:
        BenchError: there is no such file, or it may not be had.
        TransientError: the server is busy or cannot be reached.
        RangeError: it does not have what lies behind ``start``.
    """
    if urlsplit(url).scheme not in ("http", "https"):
        raise BenchError(f"{url}: must begin with https:// or http://")
    headers = {"User-Agent": f"scorebench/{__version__}", "Accept-Encoding": "identity"}
    if start:
        headers |= {"Range": f"bytes={start}-", "If-Range": validator}
    opener = urllib.request.build_opener(_Redirects)
    try:
        response = opener.open(urllib.request.Request(url, headers=headers), timeout=timeout)
    except urllib.error.HTTPError as error:
        with error:
            raise _refusal(url, error) from None
    except urllib.error.URLError as error:
        raise _connection_error(url, error.reason) from None
    except (OSError, http.client.HTTPException) as error:
        raise TransientError(f"no answer ({_reason(error)})") from None
    except ValueError as error:  # such as a port that is no number
        raise BenchError(f"{url}: is no address ({error})") from None
    with response:
        yield _answer(response)


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follow redirects, but never from https to http."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        if req.type == "https" and urlsplit(newurl).scheme != "https":
            raise BenchError(f"{req.full_url}: leads to {newurl}, which is not encrypted")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _answer(response: Any) -> Answer:
    headers: Message = response.headers
    length = _number(headers.get("Content-Length"))
    start, total = 0, length
    if response.status == 206:
        match = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", headers.get("Content-Range", "").strip())
        if match is None:
            raise RangeError("a part came without saying which")
        start, total = int(match[1]), int(match[2])
    chunked = headers.get("Transfer-Encoding", "").lower() == "chunked"
    page = headers.get_content_type() in ("text/html", "application/xhtml+xml")
    whole = total is not None or chunked
    return Answer(start, total, _validator(headers), whole, page, response)


def _validator(headers: Message) -> str:
    """Return what `If-Range` may name: a strong ETag, else a date."""
    etag = headers.get("ETag", "").strip()
    return etag if etag.startswith('"') else headers.get("Last-Modified", "").strip()


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() else None


def _refusal(url: str, error: urllib.error.HTTPError) -> Exception:
    status = f"{error.code} {error.reason}".strip()
    if error.code == 416:
        return RangeError("the server has no such part of the file")
    if error.code in (408, 425, 429) or error.code >= 500:
        return TransientError(f"the server says {status}")
    return BenchError(f"{url}: the server says {status}; check the address")


def _connection_error(url: str, reason: object) -> Exception:
    if isinstance(reason, ssl.SSLCertVerificationError):
        return BenchError(f"{url}: the server's certificate is not valid ({reason.verify_message})")
    if isinstance(reason, socket.gaierror):
        return BenchError(
            f"{url}: the server is not found ({reason.strerror}); is this machine offline?"
        )
    if isinstance(reason, OSError):
        return TransientError(f"no answer ({_reason(reason)})")
    return BenchError(f"{url}: {reason}")


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "timed out"
    text = error.strerror if isinstance(error, OSError) else str(error)
    return text or str(error) or type(error).__name__
