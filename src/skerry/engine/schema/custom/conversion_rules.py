"""`spec.conversion` of a definition. Source: `validateCustomResourceConversion`, apiserver `pkg/util/webhook`."""

from __future__ import annotations

import base64
import binascii
import ssl
from collections.abc import Iterator

from skerry.engine.schema.causes import forbidden, invalid, not_supported, required
from skerry.engine.schema.webhook_clients import check_client, check_review_versions
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj

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
    else:
        yield from check_client(config, field)
    if strict_bundle and config and config.get("caBundle"):
        yield from _check_bundle(config["caBundle"], f"{field}.caBundle")
    yield from _check_reviews(webhook.get("conversionReviewVersions") or [])


def _check_bundle(bundle: str, field: str) -> Iterator[Cause]:
    try:
        ssl.create_default_context(cadata=base64.b64decode(bundle).decode("ascii"))
    except (binascii.Error, UnicodeDecodeError, ssl.SSLError, ValueError) as error:
        yield invalid(field, bundle, f"unable to load root certificates: {error}")


def _check_reviews(versions: list[str]) -> Iterator[Cause]:
    field = f"{_FIELD}.conversionReviewVersions"
    if not versions:
        yield required(field)
    else:
        yield from check_review_versions(versions, field)
