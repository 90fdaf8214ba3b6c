"""pods/log: the query as checked options, and the log as chunks whose first failure is still an answer.

Source: Kubernetes `PodLogOptions`, `ValidatePodLogOptions` and `pkg/registry/core/pod/rest/log.go`.
`insecureSkipTLSVerifyBackend` and `pretty` mean nothing here and are ignored.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import datetime

from skerry.engine.api.pod_access import LogOptions, PodAccess
from skerry.engine.api.streams import targets
from skerry.engine.api.streams.targets import Query, first, flag
from skerry.kube.clock import parse_time
from skerry.kube.errors import BadRequest, Cause, invalid
from skerry.kube.objects import Obj, name_of

_PATIENCE = 1.0  # seconds a log may stay silent before the answer begins without knowing whether it will fail
_INT64 = 2**63
_STREAMS = ("All", "Stderr", "Stdout")


async def open_log(access: PodAccess, pod: Obj, query_string: bytes) -> AsyncIterator[bytes]:
    """The chunks of a container's log, as the query asks. Raises StatusError for what is wrong before the first.

    The caller must iterate or `aclose` what it gets: that ends following.
    """
    query = targets.parse_query(query_string)
    container = targets.choose_container(pod, first(query, "container"))
    options = log_options(query, name_of(pod))
    if not pod.get("spec", {}).get("nodeName"):
        return _nothing()
    return await _begun(access.logs(pod, container, options))


def log_options(query: Query, pod_name: str) -> LogOptions:
    """The checked options. Raises BadRequest for what is no number or time, Invalid for what makes no sense."""
    options = LogOptions(
        follow=flag(query, "follow"),
        previous=flag(query, "previous"),
        timestamps=flag(query, "timestamps"),
        tail_lines=_integer(query, "tailLines"),
        limit_bytes=_integer(query, "limitBytes"),
        since_seconds=_integer(query, "sinceSeconds"),
        since_time=_time(query, "sinceTime"),
        stream=first(query, "stream") or "All",
    )
    causes = list(_objections(options))
    if causes:
        raise invalid("", "PodLogOptions", pod_name, causes)
    return options


def _objections(options: LogOptions) -> Iterator[Cause]:
    if options.tail_lines is not None and options.tail_lines < 0:
        yield _bad_value("tailLines", options.tail_lines, "must be greater than or equal to 0")
    if options.limit_bytes is not None and options.limit_bytes < 1:
        yield _bad_value("limitBytes", options.limit_bytes, "must be greater than 0")
    if options.since_seconds is not None and options.since_time is not None:
        yield _forbidden("at most one of `sinceTime` or `sinceSeconds` may be specified")
    elif options.since_seconds is not None and options.since_seconds < 1:
        yield _bad_value("sinceSeconds", options.since_seconds, "must be greater than 0")
    if options.stream not in _STREAMS:
        supported = ", ".join(f'"{stream}"' for stream in _STREAMS)
        message = f'Unsupported value: "{options.stream}": supported values: {supported}'
        yield Cause("FieldValueNotSupported", message, "stream")
    if options.stream != "All" and options.tail_lines is not None:
        yield _forbidden("`tailLines` and specific `stream` are mutually exclusive for now")


def _bad_value(field: str, value: int, why: str) -> Cause:
    return Cause("FieldValueInvalid", f"Invalid value: {value}: {why}", field)


def _forbidden(why: str) -> Cause:
    return Cause("FieldValueForbidden", f"Forbidden: {why}")


def _integer(query: Query, name: str) -> int | None:
    text = first(query, name)
    if not text:
        return None
    digits = text[1:] if text[0] in "+-" else text
    if not (digits.isdecimal() and digits.isascii()):
        raise BadRequest(f'strconv.ParseInt: parsing "{text[:64]}": invalid syntax')
    if len(digits) > 19 or not -_INT64 <= int(text) < _INT64:
        raise BadRequest(f'strconv.ParseInt: parsing "{text[:64]}": value out of range')
    return int(text)


def _time(query: Query, name: str) -> datetime | None:
    text = first(query, name)
    try:
        return parse_time(text) if text else None
    except ValueError as error:
        raise BadRequest(f'parsing time "{text[:64]}" as RFC 3339 for {name} failed') from error


async def _nothing() -> AsyncIterator[bytes]:
    """The log of a pod without a node is empty, not an error."""
    return
    yield b""


async def _begun(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """`chunks`, once the first is there, the log has failed (raises), or it has been silent for a while."""
    ahead = asyncio.ensure_future(anext(chunks, b""))
    try:
        done, _ = await asyncio.wait({ahead}, timeout=_PATIENCE)
    except asyncio.CancelledError:
        ahead.cancel()
        raise
    if done:
        ahead.result()
    return _resumed(ahead, chunks)


async def _resumed(ahead: asyncio.Future[bytes], chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    try:
        if chunk := await ahead:
            yield chunk
            async for chunk in chunks:
                yield chunk
    finally:
        ahead.cancel()
        if hasattr(chunks, "aclose"):
            await chunks.aclose()
