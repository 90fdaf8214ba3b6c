"""Query parameters as typed options, checked: CreateOptions, UpdateOptions, PatchOptions, ListOptions, DeleteOptions.

Source: k8s.io/apimachinery `metav1` types and `metav1/validation`. Parameters nobody knows are ignored, as Kubernetes
does; known ones with a bad value are refused with the Status Kubernetes gives.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from skerry.engine.schema.codec import FieldValidation
from skerry.kube.errors import BadRequest, Cause, Invalid, invalid
from skerry.kube.objects import Obj
from skerry.kube.records import record

FIELD_VALIDATION: dict[str, FieldValidation] = {"Ignore": "Ignore", "Strict": "Strict", "Warn": "Warn"}
RESOURCE_VERSION_MATCH = ("Exact", "NotOlderThan")
PROPAGATION = ("Background", "Foreground", "Orphan")


@record
class WriteOptions:
    """What create, update and patch share. field_validation: "Ignore", "Warn" or "Strict"."""

    dry_run: bool = False
    field_validation: FieldValidation = "Warn"
    field_manager: str = ""
    force: bool = False


@record
class ListOptions:
    """`metav1.ListOptions` for list, watch and deletecollection. resource_version None: none was given."""

    label_selector: str = ""
    field_selector: str = ""
    limit: int = 0
    token: str = ""
    resource_version: int | None = None
    match: str = ""
    bookmarks: bool = False
    initial_events: bool | None = None
    timeout: int | None = None


@record
class DeleteOptions:
    """`metav1.DeleteOptions`. grace None: the object's own. propagation "": the kind's default, mostly Background."""

    grace: int | None = None
    propagation: str = ""
    uid: str = ""
    resource_version: str = ""
    dry_run: bool = False


_DEFAULT_WRITE = WriteOptions()
_DEFAULT_LIST = ListOptions()


def write_options(query: Mapping[str, str], kind: str = "CreateOptions") -> WriteOptions:
    """Read the options of a write. Raises Invalid naming the options kind ("CreateOptions")."""
    if not query:
        return _DEFAULT_WRITE
    asked = query.get("fieldValidation") or "Warn"
    validation = FIELD_VALIDATION.get(asked)
    if validation is None:
        raise _unsupported(kind, "fieldValidation", asked, tuple(FIELD_VALIDATION))
    manager = query.get("fieldManager", "")
    if len(manager) > 128 or not manager.isprintable():
        raise _bad_option(kind, "fieldManager", f'Invalid value: "{manager[:128]}": too long or unprintable')
    return WriteOptions(_dry_run(kind, query.get("dryRun", "")), validation, manager)


def apply_options(query: Mapping[str, str]) -> WriteOptions:
    """Read the options of a server-side apply, which must say who applies. Raises Invalid."""
    options = write_options(query, "PatchOptions")
    if not options.field_manager:
        why = "Required value: is required for apply patch"
        raise _bad_option("PatchOptions", "fieldManager", why, "FieldValueRequired")
    return replace(options, force=_boolean(query, "force") or False)


def patch_options(query: Mapping[str, str]) -> WriteOptions:
    """Read the options of the other patches. Raises Invalid."""
    if "force" in query:
        why = "Forbidden: may not be specified for non-apply patch"
        raise _bad_option("PatchOptions", "force", why, "FieldValueForbidden")
    return write_options(query, "PatchOptions")


def list_options(query: Mapping[str, str]) -> ListOptions:
    """Read the options of list and watch. Raises Invalid, BadRequest."""
    if not query:
        return _DEFAULT_LIST
    options = ListOptions(
        label_selector=query.get("labelSelector", ""),
        field_selector=query.get("fieldSelector", ""),
        limit=_number(query, "limit") or 0,
        token=query.get("continue", ""),
        resource_version=_resource_version(query.get("resourceVersion", "")),
        match=query.get("resourceVersionMatch", ""),
        bookmarks=_boolean(query, "allowWatchBookmarks") or False,
        initial_events=_boolean(query, "sendInitialEvents"),
        timeout=_number(query, "timeoutSeconds"),
    )
    _check_match(options, watching=is_watch(query))
    return options


def is_watch(query: Mapping[str, str]) -> bool:
    """Whether a request on a collection asks to watch it. Raises BadRequest for what is no boolean."""
    return "watch" in query and bool(_boolean(query, "watch"))


def delete_options(query: Mapping[str, str], body: Obj | None) -> DeleteOptions:
    """Read the options of a deletion: the body wins over the query, as in Kubernetes. Raises Invalid, BadRequest."""
    if not query and not body:
        return DeleteOptions()
    given = body or _delete_query(query)
    preconditions = given.get("preconditions") or {}
    propagation = given.get("propagationPolicy") or ""
    if given.get("orphanDependents") is not None:
        propagation = _orphan_dependents(given)
    if propagation and propagation not in PROPAGATION:
        raise _unsupported("DeleteOptions", "propagationPolicy", propagation, PROPAGATION)
    grace = given.get("gracePeriodSeconds")
    if grace is not None and (not isinstance(grace, int) or isinstance(grace, bool)):
        raise BadRequest("gracePeriodSeconds must be an integer")
    dry_run = given.get("dryRun") or ([query["dryRun"]] if query.get("dryRun") else [])
    return DeleteOptions(
        grace=None if grace is None else max(grace, 1) if grace < 0 else grace,
        propagation=propagation,
        uid=str(preconditions.get("uid") or ""),
        resource_version=str(preconditions.get("resourceVersion") or ""),
        dry_run=_dry_run("DeleteOptions", *dry_run) if dry_run else False,
    )


def _delete_query(query: Mapping[str, str]) -> Obj:
    given: Obj = {}
    if (grace := _number(query, "gracePeriodSeconds", least=None)) is not None:
        given["gracePeriodSeconds"] = grace
    if "propagationPolicy" in query:
        given["propagationPolicy"] = query["propagationPolicy"]
    if (orphan := _boolean(query, "orphanDependents")) is not None:
        given["orphanDependents"] = orphan
    return given


def _orphan_dependents(given: Obj) -> str:
    if given.get("propagationPolicy"):
        why = "Invalid value: orphanDependents and propagationPolicy cannot be both set"
        raise _bad_option("DeleteOptions", "propagationPolicy", why)
    return "Orphan" if given["orphanDependents"] else "Background"


def _check_match(options: ListOptions, *, watching: bool) -> None:
    """`ValidateListOptions`: which combinations mean something."""
    if options.match and options.match not in RESOURCE_VERSION_MATCH:
        raise _unsupported("ListOptions", "resourceVersionMatch", options.match, RESOURCE_VERSION_MATCH)
    if options.initial_events is not None:
        _check_initial_events(options, watching=watching)
    elif options.match and options.resource_version is None:
        raise _forbidden("resourceVersionMatch", "resourceVersionMatch is forbidden unless resourceVersion is provided")
    elif options.match and watching:
        raise _forbidden("resourceVersionMatch", "resourceVersionMatch is forbidden for watch")
    if options.match == "Exact" and options.resource_version == 0:
        raise _forbidden("resourceVersionMatch", 'resourceVersionMatch "Exact" is forbidden for resourceVersion "0"')


def _check_initial_events(options: ListOptions, *, watching: bool) -> None:
    if not watching:
        raise _forbidden("sendInitialEvents", "sendInitialEvents is forbidden for list")
    if options.match != "NotOlderThan":
        why = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
        raise _forbidden("resourceVersionMatch", why)


def _dry_run(kind: str, *values: str) -> bool:
    for value in values:
        if value not in ("", "All"):
            raise _unsupported(kind, "dryRun", value, ("All",))
    return any(values)


def _number(query: Mapping[str, str], name: str, least: int | None = 0) -> int | None:
    text = query.get(name, "")
    if not text:
        return None
    if not text.removeprefix("-").isdecimal() or not text.isascii() or len(text) > 18:
        raise BadRequest(f"invalid value {text[:64]!r} for {name}: not an integer")
    value = int(text)
    if least is not None and value < least:
        raise BadRequest(f"invalid value {value} for {name}: must be at least {least}")
    return value


def _boolean(query: Mapping[str, str], name: str) -> bool | None:
    text = query.get(name)
    if text is None:
        return None
    if text.lower() in ("0", "f", "false"):
        return False
    if text.lower() in ("", "1", "t", "true"):
        return True
    raise BadRequest(f"invalid value {text[:64]!r} for {name}: not a boolean")


def _resource_version(text: str) -> int | None:
    if not text:
        return None
    if not (text.isdecimal() and text.isascii()) or len(text) > 18:
        raise _bad_option("ListOptions", "resourceVersion", f'Invalid value: "{text[:64]}": must be a decimal number')
    return int(text)


def _bad_option(kind: str, field: str, message: str, reason: str = "FieldValueInvalid") -> Invalid:
    return invalid("meta.k8s.io", kind, "", [Cause(reason, message, field)])


def _forbidden(field: str, why: str) -> Invalid:
    return _bad_option("ListOptions", field, f"Forbidden: {why}", "FieldValueForbidden")


def _unsupported(kind: str, field: str, value: str, supported: tuple[str, ...]) -> Invalid:
    listed = ", ".join(f'"{each}"' for each in supported)
    message = f'Unsupported value: "{value[:64]}": supported values: {listed}'
    return _bad_option(kind, field, message, "FieldValueNotSupported")
