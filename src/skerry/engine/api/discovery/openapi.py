"""`/openapi/v2` and `/openapi/v3`: the schema's documents as JSON; version 2 in protobuf is `openapi_protobuf`.

Nothing is kept here: the schema keeps its documents compressed.
"""

from __future__ import annotations

import orjson

from skerry.engine.api.refusals import no_such_path
from skerry.engine.schema.registry import Registry

PREFIX = "/openapi/"


def openapi_document(registry: Registry, path: str) -> bytes:
    """The document at an /openapi path. Raises NotFound."""
    from skerry.engine.schema import openapi  # only for clients that explain or validate

    match path.removeprefix(PREFIX).split("/"):
        case ["v2"]:
            return openapi.v2(registry)
        case ["v3"]:
            return orjson.dumps(openapi.v3_index(registry))
        case ["v3", *parts]:
            try:
                return openapi.v3(registry, "/".join(parts))
            except openapi.UnknownDocument:
                raise no_such_path() from None
    raise no_such_path()


def openapi_address(registry: Registry, path: str) -> str:
    """Where the document at `/openapi/v3/...` is, its present hash included; the path itself for the others."""
    from skerry.engine.schema import openapi

    found = openapi.v3_index(registry)["paths"].get(path.removeprefix(f"{PREFIX}v3/"))
    return str(found["serverRelativeURL"]) if found else path
