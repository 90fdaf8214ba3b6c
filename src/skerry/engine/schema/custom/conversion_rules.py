"""`spec.conversion` of a definition. Source: `validateCustomResourceConversion`, apiserver `pkg/util/webhook`."""

from __future__ import annotations

import base64
import binascii
import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit

from skerry.engine.schema import names
from skerry.engine.schema.causes import forbidden, invalid, not_supported, required
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj

_REVIEWS = ("v1", "v1beta1")
_FIELD = "spec.conversion"


def check_conversion(spec: Obj, *, strict_bundle: bool) -> Iterator[Cause]:
    """Strategy, and what goes with it. `strict_bundle`: a CA bundle must be one."""
    conversion = spec.get("conversion") or {}
    strategy = conversion.get("strategy") or ""
    if not conversion:
        return
    if not strategy:
        yield required(f"{_FIELD}.strategy")
    elif strategy not in ("None", "Webhook"):
        yield not_supported(f"{_FIELD}.strategy", strategy, ("None", "Webhook"))
    elif strategy == "Webhook" and spec.get("preserveUnknownFields"):
        yield invalid(f"{_FIELD}.strategy", strategy, "must be None if spec.preserveUnknownFields is true")
    webhook = conversion.get("webhook") or {}
    if strategy == "Webhook":
        yield from _check_webhook(webhook, strict_bundle=strict_bundle)
        return
    if webhook.get("clientConfig"):
        yield forbidden(f"{_FIELD}.webhookClientConfig", "should not be set when strategy is not set to Webhook")
    if webhook.get("conversionReviewVersions"):
        yield forbidden(f"{_FIELD}.conversionReviewVersions", "should not be set when strategy is not set to Webhook")


def _check_webhook(webhook: Obj, *, strict_bundle: bool) -> Iterator[Cause]:
    field, config = f"{_FIELD}.webhookClientConfig", webhook.get("clientConfig")
    if config is None:
        yield required(field, "required when strategy is set to Webhook")
    elif (config.get("url") is None) == (config.get("service") is None):
        yield required(field, "exactly one of url or service is required")
    elif config.get("url") is not None:
        yield from _check_url(config["url"], f"{field}.url")
    else:
        yield from _check_service(config["service"], f"{field}.service")
    if strict_bundle and config and config.get("caBundle"):
        yield from _check_bundle(config["caBundle"], f"{field}.caBundle")
    yield from _check_reviews(webhook.get("conversionReviewVersions") or [])


def _check_url(url: str, field: str) -> Iterator[Cause]:
    form = "desired format: https://host[/path]"
    try:
        parts = urlsplit(url)
    except ValueError as error:
        yield required(field, f"url must be a valid URL: {error}; {form}")
        return
    if parts.scheme != "https":
        yield invalid(field, parts.scheme, f"'https' is the only allowed URL scheme; {form}")
    if not parts.hostname:
        yield invalid(field, parts.netloc, f"host must be specified; {form}")
    if parts.username is not None:
        yield invalid(field, parts.username, "user information is not permitted in the URL")
    if parts.fragment:
        yield invalid(field, parts.fragment, "fragments are not permitted in the URL")
    if parts.query:
        yield invalid(field, parts.query, "query parameters are not permitted in the URL")


def _check_service(service: Obj, field: str) -> Iterator[Cause]:
    for part in ("name", "namespace"):
        if not service.get(part):
            yield required(f"{field}.{part}", f"service {part} is required")
    if complaint := names.port_number(service.get("port", 443)):
        yield invalid(f"{field}.port", service.get("port"), f"port is not valid: {complaint}")
    path = service.get("path")
    if path in (None, "", "/"):
        return
    if not path.startswith("/"):
        yield invalid(f"{field}.path", path, "must start with a '/'")
    for index, part in enumerate(path.removeprefix("/").removesuffix("/").split("/")):
        if not part:
            yield invalid(f"{field}.path", path, f"segment[{index}] may not be empty")
        elif complaint := names.subdomain(part):
            yield invalid(f"{field}.path", path, f"segment[{index}]: {complaint}")


def _check_bundle(bundle: str, field: str) -> Iterator[Cause]:
    try:
        ssl.create_default_context(cadata=base64.b64decode(bundle).decode("ascii"))
    except (binascii.Error, UnicodeDecodeError, ssl.SSLError, ValueError) as error:
        yield invalid(field, bundle, f"unable to load root certificates: {error}")


def _check_reviews(versions: list[str]) -> Iterator[Cause]:
    field = f"{_FIELD}.conversionReviewVersions"
    if not versions:
        yield required(field)
        return
    for index, version in enumerate(versions):
        if version in versions[:index]:
            yield invalid(f"{field}[{index}]", version, "duplicate version")
        elif complaint := names.dns1035(version):
            yield invalid(f"{field}[{index}]", version, complaint)
    if not set(versions) & set(_REVIEWS):
        yield invalid(field, versions, f"must include at least one of {', '.join(_REVIEWS)}")
