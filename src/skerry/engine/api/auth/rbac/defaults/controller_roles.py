"""What each controller may do: ClusterRoles `system:controller:<name>`, bound to the service account of that name in
kube-system. Source: Kubernetes 1.36, `bootstrappolicy/controller_policy.go`; see `notation` for how they are written.

Controllers of ours that Kubernetes does not have, or that need more, come last (`OURS`).
"""

from __future__ import annotations

from collections.abc import Mapping

CONTROLLERS: Mapping[str, str] = {
    "attachdetach-controller": """
        list,watch core persistentvolumes persistentvolumeclaims
        read core nodes
        patch,update core nodes/status
        list,watch core pods
        events
        get,create,delete,list,watch storage.k8s.io volumeattachments
        read storage.k8s.io csidrivers
        read storage.k8s.io csinodes
    """,
    "clusterrole-aggregation-controller": """
        escalate,get,list,watch,update,patch rbac.authorization.k8s.io clusterroles
    """,
    "cronjob-controller": """
        read,update batch cronjobs
        read,create,update,delete,patch batch jobs
        update batch cronjobs/status
        update batch cronjobs/finalizers
        list,watch,delete core pods
        events
    """,
    "daemon-set-controller": """
        read extensions,apps daemonsets
        update extensions,apps daemonsets/status
        update extensions,apps daemonsets/finalizers
        list,watch core nodes
        list,watch,create,delete,patch core pods
        create core pods/binding
        read,create,delete,update,patch apps controllerrevisions
        events
    """,
    "deployment-controller": """
        read,update extensions,apps deployments
        update extensions,apps deployments/status
        update extensions,apps deployments/finalizers
        read,create,update,patch,delete apps,extensions replicasets
        read,update core pods
        events
    """,
    "disruption-controller": """
        read extensions,apps deployments
        read apps,extensions replicasets
        read core replicationcontrollers
        read policy poddisruptionbudgets
        read apps statefulsets
        update policy poddisruptionbudgets/status
        patch,update core pods/status
        get * */scale
        events
    """,
    "endpoint-controller": """
        read core services pods
        read,create,update,delete core endpoints
        create core endpoints/restricted
        events
    """,
    "endpointslice-controller": """
        read core services pods nodes
        update core services/finalizers
        read,create,update,delete discovery.k8s.io endpointslices
        events
    """,
    "endpointslicemirroring-controller": """
        read core services endpoints
        update core services/finalizers
        update core endpoints/finalizers
        read,create,update,delete discovery.k8s.io endpointslices
        events
    """,
    "expand-controller": """
        edit core persistentvolumes
        update,patch core persistentvolumeclaims/status
        read core persistentvolumeclaims
        events
        get core services
    """,
    "ephemeral-volume-controller": """
        read core pods
        update core pods/finalizers
        read,create core persistentvolumeclaims
        events
    """,
    "resource-claim-controller": """
        read core pods
        update core pods/finalizers
        read,create,delete resource.k8s.io resourceclaims
        update,patch resource.k8s.io resourceclaims resourceclaims/status
        update,patch core pods/status
        events
    """,
    "device-taint-eviction-controller": """
        read,delete core pods
        update,patch core pods/status
        read resource.k8s.io resourceclaims
        read resource.k8s.io resourceslices
        read resource.k8s.io deviceclasses
        read resource.k8s.io devicetaintrules
        events
    """,
    "generic-garbage-collector": """
        read,patch,update,delete * *
        events
    """,
    "horizontal-pod-autoscaler": """
        read autoscaling horizontalpodautoscalers
        update autoscaling horizontalpodautoscalers/status
        get,update * */scale
        list,watch core pods
        list,watch metrics.k8s.io pods
        read custom.metrics.k8s.io *
        read external.metrics.k8s.io *
        events
    """,
    "job-controller": """
        read,update,patch batch jobs
        update batch jobs/status
        update batch jobs/finalizers
        list,watch,create,delete,patch core pods
        events
    """,
    "namespace-controller": """
        read,delete core namespaces
        update core namespaces/finalize namespaces/status
        read,delete,deletecollection * *
    """,
    "node-controller": """
        read,update,delete,patch core nodes
        patch,update core nodes/status
        patch,update core pods/status
        read,delete core pods
        events
    """,
    "persistent-volume-binder": """
        read,update,create,delete core persistentvolumes
        update core persistentvolumes/status
        read,update core persistentvolumeclaims
        update core persistentvolumeclaims/status
        read,create,delete core pods
        read storage.k8s.io storageclasses
        list,watch core nodes
        events
        watch core events
        get core services
    """,
    "pod-garbage-collector": """
        list,watch,delete core pods
        read core nodes
        patch core pods/status
    """,
    "replicaset-controller": """
        read,update apps,extensions replicasets
        update apps,extensions replicasets/status
        update apps,extensions replicasets/finalizers
        list,watch,patch,create,delete core pods
        events
    """,
    "replication-controller": """
        read,update core replicationcontrollers
        update core replicationcontrollers/status
        update core replicationcontrollers/finalizers
        list,watch,patch,create,delete core pods
        events
    """,
    "resourcequota-controller": """
        list,watch * *
        update core resourcequotas/status
        events
    """,
    "route-controller": """
        list,watch core nodes
        patch core nodes/status
        events
    """,
    "service-account-controller": """
        create core serviceaccounts
        events
    """,
    "service-controller": """
        read core services
        patch,update core services/status
        list,watch core nodes
        events
    """,
    "service-cidrs-controller": """
        edit networking.k8s.io servicecidrs
        patch,update networking.k8s.io servicecidrs/finalizers
        patch,update networking.k8s.io servicecidrs/status
        read networking.k8s.io ipaddresses
        events
    """,
    "statefulset-controller": """
        list,watch core pods
        read apps statefulsets
        update apps statefulsets/status
        update apps statefulsets/finalizers
        get,create,delete,update,patch core pods
        read,create,delete,update,patch apps controllerrevisions
        read,create core persistentvolumeclaims
        update,delete core persistentvolumeclaims
        update core pods/finalizers
        events
    """,
    "ttl-controller": """
        update,patch,list,watch core nodes
        events
    """,
    "certificate-controller": """
        read,delete certificates.k8s.io certificatesigningrequests
        update certificates.k8s.io certificatesigningrequests/status certificatesigningrequests/approval
        approve certificates.k8s.io signers=kubernetes.io/kube-apiserver-client-kubelet
        sign certificates.k8s.io signers=kubernetes.io/legacy-unknown signers=kubernetes.io/kube-apiserver-client \
            signers=kubernetes.io/kube-apiserver-client-kubelet signers=kubernetes.io/kubelet-serving
        create authorization.k8s.io subjectaccessreviews
        events
    """,
    "pvc-protection-controller": """
        read,update core persistentvolumeclaims
        read core pods
        events
    """,
    "pv-protection-controller": """
        read,update core persistentvolumes
        events
    """,
    "volumeattributesclass-protection-controller": """
        read core persistentvolumeclaims
        read core persistentvolumes
        read,update storage.k8s.io volumeattributesclasses
        events
    """,
    "ttl-after-finished-controller": """
        read,delete batch jobs
        events
    """,
    "root-ca-cert-publisher": """
        create,update core configmaps
        events
    """,
    "validatingadmissionpolicy-status-controller": """
        read admissionregistration.k8s.io validatingadmissionpolicies
        get,patch,update admissionregistration.k8s.io validatingadmissionpolicies/status
        events
    """,
    "legacy-service-account-token-cleaner": """
        get core configmaps=kube-apiserver-legacy-service-account-token-tracking
        patch,delete core secrets
    """,
    "selinux-warning-controller": """
        events
        read core persistentvolumes
        read core persistentvolumeclaims
        read core pods
        read storage.k8s.io csidrivers
    """,
}

OURS: Mapping[str, str] = {
    "deployment-controller": "patch apps deployments",  # annotations of a revision, as one patch
    "service-account-controller": "get,create,update core configmaps",  # it publishes kube-root-ca.crt too
    "service-controller": "patch,update metallb.io ipaddresspools/status",  # it gives out their addresses
    "statefulset-controller": "patch core persistentvolumeclaims",  # the owners of claims, as one patch
    # In Kubernetes a part of the API server, which may do everything.
    "apiservice-registration-controller": "create,delete,update apiregistration.k8s.io apiservices apiservices/status",
    "kube-dns": "list,watch discovery.k8s.io endpointslices\nlist,watch core namespaces",  # as kubeadm's system:coredns
    "cert-manager": """
        create,update,delete cert-manager.io certificates
        get cert-manager.io certificates
        create,patch,delete cert-manager.io certificaterequests
        create cert-manager.io clusterissuers
        update cert-manager.io certificates/status certificaterequests/status issuers/status clusterissuers/status
        create,update,delete acme.cert-manager.io orders challenges
        update acme.cert-manager.io orders/status challenges/status
        get,create,update,delete core secrets
        create core configmaps
        get,update core configmaps=skerry-ca
    """,  # as cert-manager's own roles
    "csi-attacher": """
        patch storage.k8s.io volumeattachments volumeattachments/status
        get core secrets
    """,  # `engine/storage/csi/attaching`
    "definition-installer": """
        read,create,update apiextensions.k8s.io customresourcedefinitions
        get,create,update core configmaps
    """,  # `engine/definitions`
    "domain-controller": """
        update skerry.dev domains domains/status
        get core secrets
    """,  # keys of DNS servers; `engine/controllers/dynamic_dns`
    "ingress-controller": """
        update,patch networking.k8s.io ingresses/status
        create networking.k8s.io ingressclasses
        read core secrets configmaps
        read acme.cert-manager.io challenges
        update,patch acme.cert-manager.io challenges/status
        events
    """,  # `engine/network/ingress`
    "storage-installer": """
        create storage.k8s.io storageclasses csidrivers
        create snapshot.storage.k8s.io volumesnapshotclasses
        get,create,update core configmaps
    """,  # `engine/storage/classes.py`
    "storage-provisioner": """
        read,create,patch,update,delete core persistentvolumes
        read,patch,update core persistentvolumeclaims
        update,patch core persistentvolumeclaims/status
        read storage.k8s.io storageclasses
        read,create,update,patch,delete storage.k8s.io csistoragecapacities
        patch storage.k8s.io csidrivers
        read snapshot.storage.k8s.io volumesnapshots volumesnapshotcontents
        get core secrets
    """,  # as the roles of external-provisioner and external-resizer; `engine/storage/provisioning`
    "snapshot-controller": """
        read,update,patch snapshot.storage.k8s.io volumesnapshots volumesnapshots/status
        read,create,update,patch,delete snapshot.storage.k8s.io volumesnapshotcontents volumesnapshotcontents/status
        read snapshot.storage.k8s.io volumesnapshotclasses
        read,update,patch core persistentvolumeclaims
        get core secrets
    """,  # as the roles of snapshot-controller and csi-snapshotter; `engine/storage/snapshots`
    "storage-inspector": """
        list core persistentvolumes
        get,create,update storage.skerry.dev storagepools
        update storage.skerry.dev storagepools/status
    """,  # `engine/storage/inspection`
    "event-expiry": "list,delete core events",  # Kubernetes leaves this to etcd's leases
}
"""What ours do beyond that: ClusterRoles `skerry:controller:<name>`, bound to the same service accounts."""
