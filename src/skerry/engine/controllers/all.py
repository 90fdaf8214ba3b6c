"""All controllers of the engine: `program` makes them once, starts the informers, then starts each.

controllers = make_controllers(context)
await context.informers.start()
for controller in controllers: controller.start()
...
for controller in controllers: await controller.close()
"""

from __future__ import annotations

from skerry.engine.controllers.account_tokens import AccountTokens
from skerry.engine.controllers.apiservice.controller import ApiServiceController
from skerry.engine.controllers.autoscaling.controller import AutoscalerController
from skerry.engine.controllers.certificates.cleaner import SigningRequestCleaner
from skerry.engine.controllers.certificates.signer import CertificateSigner
from skerry.engine.controllers.context import Context
from skerry.engine.controllers.cronjob.controller import CronJobController
from skerry.engine.controllers.daemonset.controller import DaemonSetController
from skerry.engine.controllers.deployment.controller import DeploymentController
from skerry.engine.controllers.disruption.controller import DisruptionController
from skerry.engine.controllers.dynamic_dns.waking import DynamicDns
from skerry.engine.controllers.endpoints.endpoints_controller import EndpointsController
from skerry.engine.controllers.endpoints.mirror_controller import EndpointSliceMirror
from skerry.engine.controllers.endpoints.slice_controller import EndpointSliceController
from skerry.engine.controllers.event_expiry import EventExpiry
from skerry.engine.controllers.garbage.controller import GarbageCollector
from skerry.engine.controllers.job.controller import JobController
from skerry.engine.controllers.job.orphans import JobOrphans
from skerry.engine.controllers.job.ttl import FinishedJobs
from skerry.engine.controllers.loadbalancer.controller import LoadBalancerController
from skerry.engine.controllers.namespace.controller import NamespaceController
from skerry.engine.controllers.node_lifecycle.controller import NodeLifecycle
from skerry.engine.controllers.pod_gc import PodGarbageCollector
from skerry.engine.controllers.replicaset.controller import ReplicaSetController
from skerry.engine.controllers.replicationcontroller.controller import ReplicationControllerController
from skerry.engine.controllers.resourcequota.controller import ResourceQuotaController
from skerry.engine.controllers.role_aggregation import ClusterRoleAggregation
from skerry.engine.controllers.scheduler.controller import Scheduler
from skerry.engine.controllers.serviceaccount import NamespaceEquipment
from skerry.engine.controllers.statefulset.controller import StatefulSetController
from skerry.engine.controllers.taint_eviction.controller import TaintEviction
from skerry.engine.controllers.volumes.binder import VolumeBinder
from skerry.engine.controllers.volumes.ephemeral import EphemeralClaims
from skerry.engine.controllers.volumes.protection import ClaimProtection, VolumeProtection
from skerry.engine.controllers.volumes.reclaiming import VolumeReclaimer
from skerry.kube.controller import Controller


def make_controllers(context: Context) -> list[Controller]:
    """Every controller, connected to its informers, not yet started. The last two share the others' caches. Each acts
    under the name Kubernetes gives it, and so with the rights of its role there."""
    acting_as = context.acting_as
    return [
        Scheduler(acting_as("system:kube-scheduler")),
        ReplicaSetController(acting_as("replicaset-controller")),
        ReplicationControllerController(acting_as("replication-controller")),
        DeploymentController(acting_as("deployment-controller")),
        StatefulSetController(acting_as("statefulset-controller")),
        DaemonSetController(acting_as("daemon-set-controller")),
        JobController(acting_as("job-controller")),
        JobOrphans(acting_as("job-controller")),
        AutoscalerController(acting_as("horizontal-pod-autoscaler")),
        CronJobController(acting_as("cronjob-controller")),
        FinishedJobs(acting_as("ttl-after-finished-controller")),
        DisruptionController(acting_as("disruption-controller")),
        EndpointSliceController(acting_as("endpointslice-controller")),
        EndpointsController(acting_as("endpoint-controller")),
        EndpointSliceMirror(acting_as("endpointslicemirroring-controller")),
        LoadBalancerController(acting_as("service-controller")),
        NamespaceEquipment(acting_as("service-account-controller")),
        AccountTokens(context),
        CertificateSigner(acting_as("certificate-controller")),
        SigningRequestCleaner(acting_as("certificate-controller")),
        ApiServiceController(acting_as("apiservice-registration-controller")),
        ClusterRoleAggregation(acting_as("clusterrole-aggregation-controller")),
        NodeLifecycle(acting_as("node-controller")),
        TaintEviction(acting_as("node-controller")),
        PodGarbageCollector(acting_as("pod-garbage-collector")),
        EventExpiry(acting_as("event-expiry")),
        ResourceQuotaController(acting_as("resourcequota-controller")),
        VolumeBinder(acting_as("persistent-volume-binder")),
        VolumeReclaimer(acting_as("persistent-volume-binder")),
        EphemeralClaims(acting_as("ephemeral-volume-controller")),
        ClaimProtection(acting_as("pvc-protection-controller")),
        VolumeProtection(acting_as("pv-protection-controller")),
        DynamicDns(acting_as("domain-controller")),
        NamespaceController(acting_as("namespace-controller")),
        GarbageCollector(acting_as("generic-garbage-collector")),
    ]
