"""Content negotiation: which form of an answer a client wants. Cheap: clients send the same few Accept headers.

Source: Kubernetes' `apiserver/pkg/endpoints/handlers/negotiation`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

from skerry.kube.errors import NotAcceptable
from skerry.kube.records import record

Shape = Literal["object", "table", "partial", "discovery"]
_SHAPES: dict[tuple[str, str], Shape] = {
    ("Table", "meta.k8s.io"): "table",
    ("PartialObjectMetadata", "meta.k8s.io"): "partial",
    ("PartialObjectMetadataList", "meta.k8s.io"): "partial",
    ("APIGroupDiscoveryList", "apidiscovery.k8s.io"): "discovery",
}
_VERSIONS = {"table": ("v1", "v1beta1"), "partial": ("v1", "v1beta1"), "discovery": ("v2", "v2beta1")}
_JSON = ("application/json", "application/*", "*/*")
_YAML = ("application/yaml",)
PROTOBUF = b"application/vnd.kubernetes.protobuf"


@record
class Form:
    """How to answer: encoding, shape of objects, and the version of that shape."""

    yaml: bool = False
    protobuf: bool = False
    shape: Shape = "object"
    version: str = ""

    @property
    def content_type(self) -> bytes:
        """For the answer's header."""
        if self.protobuf:
            return PROTOBUF
        return b"application/yaml" if self.yaml else b"application/json"


PLAIN = Form()
YAML = Form(yaml=True)
ONLY_PROTOBUF = Form(protobuf=True)


@lru_cache(256)
def negotiate(accept: bytes) -> Form:
    """The first form in order of preference that we can give. Raises NotAcceptable."""
    return _first(accept, ())


def negotiate_without_tables(accept: bytes) -> Form:
    """The same for what is answered but not kept, and so has neither rows nor metadata (reviews)."""
    return _first(accept, ("table", "partial"))


@lru_cache(256)
def negotiate_object(accept: bytes) -> Form:
    """The same for what has a protobuf form as well, which only those get who take nothing else: JSON is at hand."""
    try:
        return negotiate(accept)
    except NotAcceptable:
        if any(clause == [PROTOBUF.decode()] for clause in _by_preference(accept.decode("latin-1"))):
            return ONLY_PROTOBUF
        raise


def _first(accept: bytes, refused: tuple[Shape, ...]) -> Form:
    if not accept.strip():
        return PLAIN
    for clause in _by_preference(accept.decode("latin-1")):
        form = _form(clause)
        if form is not None and form.shape not in refused:
            return form
    raise NotAcceptable("only the following media types are accepted: application/json, application/yaml")


def _by_preference(accept: str) -> list[list[str]]:
    clauses = [[part.strip() for part in clause.split(";")] for clause in accept.split(",")]
    return sorted(clauses, key=_quality, reverse=True)


def _quality(clause: list[str]) -> float:
    for parameter in clause[1:]:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


def _form(clause: list[str]) -> Form | None:
    media_type = clause[0].lower()
    if media_type not in _JSON and media_type not in _YAML:
        return None
    parameters = dict(parameter.partition("=")[::2] for parameter in clause[1:])
    yaml = media_type in _YAML
    if "as" not in parameters:
        return YAML if yaml else PLAIN
    shape = _SHAPES.get((parameters["as"], parameters.get("g", "")))
    version = parameters.get("v", "")
    if shape is None or version not in _VERSIONS[shape]:
        return None
    return Form(yaml=yaml, shape=shape, version=version)
