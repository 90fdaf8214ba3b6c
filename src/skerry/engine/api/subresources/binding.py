"""`pods/binding`: the scheduler's decision, once and for all; and `bindings`, where the path does not name the pod.

Source: Kubernetes' `pkg/registry/core/pod/storage`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from skerry.engine.api.admission.attributes import Attributes
from skerry.engine.api.backend import Backend
from skerry.engine.api.bodies import read_object
from skerry.engine.api.options import write_options
from skerry.engine.api.request import Request, Target
from skerry.engine.api.response import Computed, Response
from skerry.engine.api.writing import Change, change, check_version
from skerry.engine.schema.bodies import BINDING
from skerry.engine.store.contract import Entry
from skerry.kube.conditions import conditions_of, with_condition
from skerry.kube.errors import BadRequest, Cause, conflict, invalid
from skerry.kube.objects import Obj, is_deleting

SUCCESS: Obj = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}


async def bind(backend: Backend, request: Request) -> Response:
    """Put a pod on a node. Raises NotFound, Conflict (it is on one already, or going away), Invalid."""
    options = write_options(request.query)
    binding = await read_object(request, BINDING, options.field_validation)
    await backend.admission.admit(Attributes("CREATE", request, request.what, binding, None, options))
    node = _node_of(binding, request.what)
    now = backend.clock.now()

    def wanted(entry: Entry) -> Obj:
        check_version(request.what, binding, entry.shared())
        return bound(request.what, entry.shared(), node, now)

    await change(backend, request, Change(wanted, _nothing, options, trusted=True))
    return Computed(SUCCESS, 201)


async def bind_named(backend: Backend, request: Request) -> Response:
    """The same where only the binding's own name says which pod is meant. Raises BadRequest without one."""
    binding = await read_object(request, BINDING, write_options(request.query).field_validation)
    name = binding["metadata"].get("name")
    pods = backend.registry.kind("", "v1", "pods")
    if not name or pods is None:
        raise BadRequest("the binding must be named after a pod")
    target = Target(pods, request.what.namespace, name, "binding")
    return await bind(backend, replace(request, target=target, handed=binding, read=None))


def bound(target: Target, pod: Obj, node: str, now: datetime) -> Obj:
    """`pod` on a node, with its condition: a new object that shares what stays as it is. Raises Conflict."""
    if is_deleting(pod):
        raise _refused(target, f"pod {target.name} is being deleted, cannot be assigned to a host")
    if current := pod["spec"].get("nodeName"):
        raise _refused(target, f'pod {target.name} is already assigned to node "{current}"')
    if pod["spec"].get("schedulingGates"):
        raise _refused(target, f"pod {target.name} has non-empty .spec.schedulingGates")
    status = {name: value for name, value in (pod.get("status") or {}).items() if name != "nominatedNodeName"}
    seen = pod["metadata"].get("generation")
    scheduled = {"type": "PodScheduled", "status": "True", "observedGeneration": seen, "lastProbeTime": None}
    return {
        **pod,
        "metadata": {**pod["metadata"]},
        "spec": {**pod["spec"], "nodeName": node},
        "status": {**status, "conditions": with_condition(conditions_of(pod), scheduled, now)},
    }


def _node_of(binding: Obj, target: Target) -> str:
    wanted = binding.get("target") or {}
    causes = []
    if wanted.get("kind") not in ("", "Node", None):
        message = f'Unsupported value: "{wanted["kind"]}": supported values: "Node", "<empty>"'
        causes.append(Cause("FieldValueNotSupported", message, "target.kind"))
    if not wanted.get("name"):
        causes.append(Cause("FieldValueRequired", "Required value", "target.name"))
    if causes:
        raise invalid("", "Binding", target.name, causes)
    return str(wanted["name"])


def _refused(target: Target, why: str) -> Exception:
    return conflict(f"{target.group_resource}/binding", target.name, why)


def _nothing(new: Obj, old: Obj) -> None:
    """A binding touches only what it means to."""
