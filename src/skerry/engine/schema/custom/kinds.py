"""A CustomResourceDefinition as the `Kind`s it defines: one for each served version.

Kinds hold names and a way to read the schema, never the schema: definitions are large, and most are seldom written to.
Source: `pkg/apiserver/customresource_handler.go`. Neighbours: `strategy`, `columns`; `engine.api.custom` serves them.
"""

from __future__ import annotations

from collections.abc import Callable

from skerry.engine.schema.contract import ALL_VERBS, Conversion, Kind, ScalePaths
from skerry.engine.schema.custom.columns import printer_for
from skerry.engine.schema.custom.nested import keys_of
from skerry.engine.schema.custom.strategy import CustomStrategy
from skerry.engine.schema.custom.versions import by_preference, preferred_over
from skerry.kube.objects import Obj, Resource, is_deleting
from skerry.kube.records import record

_DYING_VERBS = tuple(verb for verb in ALL_VERBS if verb != "create")

ReadSchema = Callable[[str], Obj]
"""The `openAPIV3Schema` of a version, decoded afresh."""
ConversionFor = Callable[[str, CustomStrategy], Conversion]
"""The conversion between what is stored and a version."""


@record
class Source:
    """Where kinds get what they do not hold: schemas, and conversions between versions."""

    schema: ReadSchema
    conversion: ConversionFor
    revision: int = 0


def kinds_of(definition: Obj, source: Source) -> list[Kind]:
    """The kinds of all versions, those not served included (conversion needs them), the preferred one first."""
    versions = by_preference(definition["spec"]["versions"])
    return [_kind(definition, version, source) for version in versions]


def _kind(definition: Obj, version: Obj, source: Source) -> Kind:
    spec, name = definition["spec"], version["name"]
    names = (definition.get("status") or {}).get("acceptedNames") or spec["names"]
    subresources, scale = version.get("subresources") or {}, scale_paths(version)

    def read() -> Obj:
        return source.schema(name)

    strategy = CustomStrategy(read, has_status="status" in subresources, scale=scale)
    return Kind(
        Resource(spec["group"], name, spec["names"]["plural"], spec["names"]["kind"], spec["scope"] == "Namespaced"),
        names.get("singular") or spec["names"]["kind"].lower(),
        definition="",
        short_names=tuple(names.get("shortNames") or ()),
        categories=tuple(names.get("categories") or ()),
        verbs=_DYING_VERBS if is_deleting(definition) else ALL_VERBS,
        subresources=frozenset(each for each in ("status", "scale") if subresources.get(each) is not None),
        printer=printer_for(version.get("additionalPrinterColumns") or []),
        selectable=tuple(".".join(keys_of(each["jsonPath"])) for each in version.get("selectableFields") or ()),
        strategy=strategy,
        conversion=source.conversion(name, strategy),
        schema=read,
        prune=strategy.prune,
        list_kind=names.get("listKind") or "",
        deprecation=_deprecation(spec, version),
        revision=source.revision,
        scale=scale,
    )


def scale_paths(version: Obj) -> ScalePaths | None:
    """Where `/scale` finds what it shows, None where there is none."""
    scale = (version.get("subresources") or {}).get("scale")
    if not scale:
        return None
    paths = (scale["specReplicasPath"], scale["statusReplicasPath"], scale.get("labelSelectorPath") or "")
    return ScalePaths(*(keys_of(path) for path in paths))


def _deprecation(spec: Obj, version: Obj) -> str:
    """What users of a deprecated version are told."""
    if not version.get("deprecated"):
        return ""
    if version.get("deprecationWarning"):
        return str(version["deprecationWarning"])
    group, kind, name = spec["group"], spec["names"]["kind"], version["name"]
    better = [
        each["name"]
        for each in by_preference(spec["versions"])
        if each.get("served") and not each.get("deprecated") and preferred_over(each["name"], name)
    ]
    advice = f"; use {group}/{better[0]} {kind}" if better else ""
    return f"{group}/{name} {kind} is deprecated{advice}"
