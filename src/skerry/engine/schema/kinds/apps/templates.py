"""What controllers of pods share: a count, a selector, and a template the selector must match."""

from __future__ import annotations

from collections.abc import Iterator

from skerry.engine.schema.causes import forbidden, invalid, required
from skerry.engine.schema.label_selectors import check_label_selector
from skerry.engine.schema.pods.defaults import default_template
from skerry.engine.schema.pods.resources import NOT_NEGATIVE
from skerry.engine.schema.pods.validation import check_template
from skerry.engine.schema.strategies import set_default
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj
from skerry.kube.selectors import SelectorError, selector_of


def default_workload(obj: Obj) -> None:
    """One replica, and the template's defaults."""
    spec = obj.setdefault("spec", {})
    set_default(spec, "replicas", 1)
    default_template(spec.setdefault("template", {}))


def check_count(spec: Obj, name: str) -> Iterator[Cause]:
    """A number that must not be negative, when it is there."""
    if (spec.get(name) or 0) < 0:
        yield invalid(f"spec.{name}", spec[name], NOT_NEGATIVE)


def check_selected_template(spec: Obj, kind: str, title: str) -> Iterator[Cause]:
    """A selector that is there, legal, not empty, and matches the template's labels; and the template itself.

    `kind` and `title` are what Kubernetes calls the kind in two of its messages.
    """
    selector, template = spec.get("selector"), spec.get("template") or {}
    if selector is None:
        yield required("spec.selector")
        yield _no_match(template)  # none selects nothing
    else:
        complaints = list(check_label_selector(selector, "spec.selector"))
        yield from complaints
        if not any(selector.get(part) for part in ("matchLabels", "matchExpressions")):
            yield invalid("spec.selector", selector, f"empty selector is invalid for {kind}")
        elif not complaints:
            yield from _check_match(selector, template)
    yield from check_lasting_template(template, title)


def check_lasting_template(template: Obj, title: str) -> Iterator[Cause]:
    """A template of pods that run until they are deleted."""
    yield from check_template(template, "spec.template")
    if (template.get("spec") or {}).get("activeDeadlineSeconds") is not None:
        why = f"activeDeadlineSeconds in {title} is not Supported"
        yield forbidden("spec.template.spec.activeDeadlineSeconds", why)


def _check_match(selector: Obj, template: Obj) -> Iterator[Cause]:
    try:
        matches = selector_of(selector).matches(_labels_of(template))
    except SelectorError as error:
        yield invalid("spec.selector", selector, str(error))
        return
    if not matches:
        yield _no_match(template)


def _no_match(template: Obj) -> Cause:
    return invalid("spec.template.metadata.labels", _labels_of(template), "`selector` does not match template `labels`")


def _labels_of(template: Obj) -> Obj:
    return (template.get("metadata") or {}).get("labels") or {}
