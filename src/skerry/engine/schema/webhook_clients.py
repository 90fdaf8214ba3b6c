"""Where a webhook is called and with which reviews: the same rules for admission webhooks and for conversions.

Source: apiserver `pkg/util/webhook/validation.go`.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from skerry.engine.schema import names
from skerry.engine.schema.causes import invalid, required
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj

REVIEW_VERSIONS = ("v1", "v1beta1")
"""The versions of reviews that the API server may send."""


def check_review_versions(versions: list[str], field: str) -> Iterator[Cause]:
    """Names of versions, one of them at least of ours."""
    for index, version in enumerate(versions):
        if version in versions[:index]:
            yield invalid(f"{field}[{index}]", version, "duplicate version")
        elif complaint := names.dns1035(version):
            yield invalid(f"{field}[{index}]", version, complaint)
    if not set(versions) & set(REVIEW_VERSIONS):
        yield invalid(field, versions, f"must include at least one of {', '.join(REVIEW_VERSIONS)}")


def check_client(client: Obj, field: str) -> Iterator[Cause]:
    """Either a URL or a service."""
    url, service = client.get("url"), client.get("service")
    if (url is None) == (service is None):
        yield required(field, "exactly one of url or service is required")
    elif url is not None:
        yield from _check_url(url, f"{field}.url")
    else:
        yield from _check_service(service or {}, f"{field}.service")


def _check_url(url: str, field: str) -> Iterator[Cause]:
    """A webhook's URL (`ValidateWebhookURL`)."""
    form = "; desired format: https://host[/path]"
    try:
        parts = urlsplit(url)
    except ValueError as error:
        yield required(field, f"url must be a valid URL: {error}{form}")
        return
    if parts.scheme != "https":
        yield invalid(field, parts.scheme, f"'https' is the only allowed URL scheme{form}")
    if not parts.netloc:
        yield invalid(field, parts.netloc, f"host must be specified{form}")
    if "@" in parts.netloc:
        yield invalid(field, parts.netloc.rpartition("@")[0], "user information is not permitted in the URL")
    if parts.fragment:
        yield invalid(field, parts.fragment, "fragments are not permitted in the URL")
    if parts.query:
        yield invalid(field, parts.query, "query parameters are not permitted in the URL")


def _check_service(service: Obj, field: str) -> Iterator[Cause]:
    """A reference to a service (`ValidateWebhookService`)."""
    for key in ("name", "namespace"):
        if not service.get(key):
            yield required(f"{field}.{key}", f"service {key} is required")
    if complaint := names.port_number(service.get("port", 443)):
        yield invalid(f"{field}.port", service["port"], f"port is not valid: {complaint}")
    path = service.get("path")
    if not path:
        return
    if not path.startswith("/"):
        yield invalid(f"{field}.path", path, "must start with a '/'")
        return
    for index, step in enumerate(path.removeprefix("/").removesuffix("/").split("/") if len(path) > 1 else ()):
        if not step:
            yield invalid(f"{field}.path", path, f"segment[{index}] may not be empty")
        elif complaint := names.subdomain(step):
            yield invalid(f"{field}.path", path, f"segment[{index}]: {complaint}")
