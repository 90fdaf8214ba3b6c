"""Which printer prints which kind; kinds that are not here show their name and age.

Imported with the first table, not with the kinds: an engine starts without anybody looking.
"""

from __future__ import annotations

from dataclasses import replace

from skerry.engine.schema.contract import Kind, Printer
from skerry.engine.schema.conversions import FieldMapping
from skerry.engine.schema.printing import cluster, network, policies, storage, workloads
from skerry.engine.schema.printing.pods import POD
from skerry.kube.objects import copy_of

_PRINTERS = {
    "Pod": POD,
    "Deployment": workloads.DEPLOYMENT,
    "ReplicaSet": workloads.REPLICA_SET,
    "ReplicationController": workloads.REPLICATION_CONTROLLER,
    "StatefulSet": workloads.STATEFUL_SET,
    "DaemonSet": workloads.DAEMON_SET,
    "Job": workloads.JOB,
    "CronJob": workloads.CRON_JOB,
    "ControllerRevision": workloads.CONTROLLER_REVISION,
    "HorizontalPodAutoscaler": workloads.AUTOSCALER,
    "Service": network.SERVICE,
    "Endpoints": network.ENDPOINTS,
    "EndpointSlice": network.ENDPOINT_SLICE,
    "Ingress": network.INGRESS,
    "IngressClass": network.INGRESS_CLASS,
    "NetworkPolicy": network.NETWORK_POLICY,
    "Node": cluster.NODE,
    "Namespace": cluster.NAMESPACE,
    "Event": cluster.EVENT,
    "ComponentStatus": cluster.COMPONENT_STATUS,
    "ConfigMap": cluster.CONFIG_MAP,
    "Secret": cluster.SECRET,
    "ServiceAccount": cluster.SERVICE_ACCOUNT,
    "Lease": cluster.LEASE,
    "ResourceQuota": cluster.RESOURCE_QUOTA,
    "LimitRange": cluster.CREATED_AT,
    "CustomResourceDefinition": cluster.CREATED_AT,
    "Role": cluster.CREATED_AT,
    "ClusterRole": cluster.CREATED_AT,
    "RoleBinding": policies.ROLE_BINDING,
    "ClusterRoleBinding": policies.ROLE_BINDING,
    "PodDisruptionBudget": policies.DISRUPTION_BUDGET,
    "PriorityClass": policies.PRIORITY_CLASS,
    "APIService": policies.API_SERVICE,
    "FlowSchema": policies.FLOW_SCHEMA,
    "PriorityLevelConfiguration": policies.PRIORITY_LEVEL,
    "RuntimeClass": policies.RUNTIME_CLASS,
    "MutatingWebhookConfiguration": policies.WEBHOOKS,
    "ValidatingWebhookConfiguration": policies.WEBHOOKS,
    "CertificateSigningRequest": policies.SIGNING_REQUEST,
    "PersistentVolume": storage.VOLUME,
    "PersistentVolumeClaim": storage.CLAIM,
    "StorageClass": storage.STORAGE_CLASS,
    "CSIDriver": storage.CSI_DRIVER,
    "CSINode": storage.CSI_NODE,
    "VolumeAttachment": storage.ATTACHMENT,
    "CSIStorageCapacity": storage.STORAGE_CAPACITY,
    "VolumeAttributesClass": storage.ATTRIBUTES_CLASS,
}
_GENERIC = Printer()


def printer_of(kind: Kind) -> Printer:
    """A kind's own printer, else the built-in one. A custom resource may share the name of a built-in kind: it has no
    built-in definition, by which they are told apart."""
    if kind.printer is not None:
        return kind.printer
    printer = _PRINTERS.get(kind.resource.kind, _GENERIC) if kind.definition else _GENERIC
    if isinstance(kind.conversion, FieldMapping):
        return _of_stored(printer, kind.conversion)
    return printer


def _of_stored(printer: Printer, conversion: FieldMapping) -> Printer:
    """A printer that is shown objects as they are stored, whatever version is asked for."""
    row = printer.row
    if row is None:
        return printer
    return replace(printer, row=lambda obj, now: row(conversion.store(copy_of(obj)), now))
