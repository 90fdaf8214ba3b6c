"""`/openapi/v2` and `/openapi/v3`: the schema's documents as JSON; version 2 in protobuf is `openapi_protobuf`.

Nothing is kept here: the schema keeps its documents compressed. The documents of version 3 that extension API servers
have are theirs: the index leads there, and requests for them are passed on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import orjson

from skerry.engine.api.aggregation.openapi import Part, joined
from skerry.engine.api.aggregation.remote import GroupVersion
from skerry.engine.api.aggregation.table import Learnt
from skerry.engine.api.refusals import no_such_path
from skerry.engine.schema.registry import Registry
from skerry.kube.objects import Obj

PREFIX, INDEX = "/openapi/", "/openapi/v3"


def openapi_index(registry: Registry, elsewhere: Mapping[GroupVersion, Learnt]) -> Obj:
    """What `/openapi/v3` answers."""
    from skerry.engine.schema import openapi

    paths: Obj = dict(openapi.v3_index(registry)["paths"])
    for (group, version), learnt in elsewhere.items():
        paths.pop(f"apis/{group}/{version}", None)
        if learnt.schemas:
            paths[f"apis/{group}/{version}"] = {"serverRelativeURL": learnt.schemas}
    return {"paths": paths}


def openapi_document(registry: Registry, path: str) -> bytes:
    """The document at an /openapi path. Raises NotFound."""
    from skerry.engine.schema import openapi  # only for clients that explain or validate

    match path.removeprefix(PREFIX).split("/"):
        case ["v2"]:
            return openapi.v2(registry)
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


def with_extensions(document: bytes, parts: Iterable[Part]) -> bytes:
    """Our `/openapi/v2` and what extension API servers add to it."""
    whole: Obj = orjson.loads(document)
    paths, definitions = joined(whole["paths"], whole["definitions"], parts)
    return orjson.dumps({**whole, "paths": paths, "definitions": definitions})
