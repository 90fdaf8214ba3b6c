"""Default ClusterRoles that are not controllers'. Source: Kubernetes 1.36, `bootstrappolicy/policy.go` (what is on by
default).

See `notation` for how they are written. The three that people are given (admin, edit, view) are put together from
those that carry their label.
"""

from __future__ import annotations

from collections.abc import Mapping

AGGREGATED: Mapping[str, tuple[str, ...]] = {"view": ("edit",), "edit": ("admin",), "admin": ()}
"""The role: which roles it is itself a part of. A part comes before the whole."""

PARTS: Mapping[str, str] = {
    "system:aggregate-to-view": "view",
    "system:aggregate-to-edit": "edit",
    "system:aggregate-to-admin": "admin",
}
"""The role: which one it is a part of."""

NODE = """
    create authentication.k8s.io tokenreviews
    create authorization.k8s.io subjectaccessreviews localsubjectaccessreviews
    read core services
    create,read core nodes
    update,patch core nodes/status
    update,patch core nodes
    create,update,patch core events
    read core pods
    create,delete core pods
    update,patch core pods/status
    create core pods/eviction
    read core secrets configmaps
    get core persistentvolumeclaims persistentvolumes
    get core endpoints
    create,read certificates.k8s.io certificatesigningrequests
    get,create,update,patch,delete coordination.k8s.io leases
    get storage.k8s.io volumeattachments
    create core serviceaccounts/token
    get,update,patch core persistentvolumeclaims/status
    read storage.k8s.io csidrivers
    get,create,update,patch,delete storage.k8s.io csinodes
    read node.k8s.io runtimeclasses
    get resource.k8s.io resourceclaims
    deletecollection resource.k8s.io resourceslices
    get core serviceaccounts
"""

_AGGREGATE_TO_VIEW = """
    read core pods replicationcontrollers replicationcontrollers/scale serviceaccounts services services/status \
        endpoints persistentvolumeclaims persistentvolumeclaims/status configmaps
    read core limitranges resourcequotas bindings events pods/status resourcequotas/status namespaces/status \
        replicationcontrollers/status pods/log
    read core namespaces
    read discovery.k8s.io endpointslices
    read apps controllerrevisions statefulsets statefulsets/status statefulsets/scale daemonsets daemonsets/status \
        deployments deployments/status deployments/scale replicasets replicasets/status replicasets/scale
    read autoscaling horizontalpodautoscalers horizontalpodautoscalers/status
    read batch jobs cronjobs cronjobs/status jobs/status
    read extensions daemonsets daemonsets/status deployments deployments/scale deployments/status ingresses \
        ingresses/status replicasets replicasets/scale replicasets/status replicationcontrollers/scale networkpolicies
    read policy poddisruptionbudgets poddisruptionbudgets/status
    read networking.k8s.io networkpolicies ingresses ingresses/status
    read resource.k8s.io resourceclaims resourceclaims/status resourceclaimtemplates
"""

_AGGREGATE_TO_EDIT = """
    read core pods/attach pods/proxy pods/exec pods/portforward secrets services/proxy
    impersonate core serviceaccounts
    write core pods pods/attach pods/proxy pods/exec pods/portforward
    create core pods/eviction
    write core replicationcontrollers replicationcontrollers/scale serviceaccounts services services/proxy \
        persistentvolumeclaims configmaps secrets events
    create core serviceaccounts/token
    write apps statefulsets statefulsets/scale daemonsets deployments deployments/scale deployments/rollback \
        replicasets replicasets/scale
    write autoscaling horizontalpodautoscalers
    write batch jobs cronjobs
    write extensions daemonsets deployments deployments/scale deployments/rollback ingresses replicasets \
        replicasets/scale replicationcontrollers/scale networkpolicies
    write policy poddisruptionbudgets
    write networking.k8s.io networkpolicies ingresses
    rw coordination.k8s.io leases
    write resource.k8s.io resourceclaims resourceclaimtemplates
"""

_AGGREGATE_TO_ADMIN = """
    create authorization.k8s.io localsubjectaccessreviews
    rw rbac.authorization.k8s.io roles rolebindings
"""

_CONTROLLER_MANAGER = """
    events
    create coordination.k8s.io leases
    get,update coordination.k8s.io leases=kube-controller-manager
    create core secrets serviceaccounts
    delete core secrets
    get core namespaces secrets serviceaccounts configmaps
    update core secrets serviceaccounts
    create authentication.k8s.io tokenreviews
    create authorization.k8s.io subjectaccessreviews
    list,watch * *
    create core serviceaccounts/token
"""

_SCHEDULER = """
    events
    create coordination.k8s.io leases
    get,list,update,watch coordination.k8s.io leases=kube-scheduler
    read core nodes
    get,list,watch,delete core pods
    create core pods/binding bindings
    patch,update core pods/status
    read core services replicationcontrollers
    read apps,extensions replicasets
    read apps statefulsets
    read policy poddisruptionbudgets
    read core persistentvolumeclaims persistentvolumes
    create authentication.k8s.io tokenreviews
    create authorization.k8s.io subjectaccessreviews
    read storage.k8s.io csinodes
    read storage.k8s.io volumeattachments
    read core namespaces
    read storage.k8s.io csidrivers
    read storage.k8s.io csistoragecapacities
    read resource.k8s.io deviceclasses
    edit resource.k8s.io resourceclaims
    edit resource.k8s.io resourceclaims/status
    edit core pods/finalizers
    read resource.k8s.io resourceslices
"""

_CSR = "certificates.k8s.io"

ROLES: Mapping[str, str] = {
    "cluster-admin": "* * *\n* *",
    "system:discovery": """
        get /livez /readyz /healthz /version /version/ /openapi /openapi/* /api /api/* /apis /apis/*
    """,
    "system:monitoring": """
        get /metrics /metrics/slis /livez /readyz /healthz /livez/* /readyz/* /healthz/*
    """,
    "system:basic-user": """
        create authorization.k8s.io selfsubjectaccessreviews selfsubjectrulesreviews
        create authentication.k8s.io selfsubjectreviews
    """,
    "system:public-info-viewer": "get /livez /readyz /healthz /version /version/",
    "system:aggregate-to-view": _AGGREGATE_TO_VIEW,
    "system:aggregate-to-edit": _AGGREGATE_TO_EDIT,
    "system:aggregate-to-admin": _AGGREGATE_TO_ADMIN,
    "system:heapster": """
        read core events pods nodes namespaces
        read extensions deployments
    """,
    "system:node": NODE,
    "system:node-problem-detector": """
        get core nodes
        patch core nodes/status
        events
    """,
    "system:kubelet-api-admin": """
        read core nodes
        proxy core nodes
        * core nodes/proxy nodes/metrics nodes/stats nodes/log
        * core nodes/configz nodes/healthz nodes/pods
    """,
    "system:node-bootstrapper": "create,read certificates.k8s.io certificatesigningrequests",
    "system:auth-delegator": """
        create authentication.k8s.io tokenreviews
        create authorization.k8s.io subjectaccessreviews
    """,
    "system:kube-aggregator": "read core services endpoints",
    "system:kube-controller-manager": _CONTROLLER_MANAGER,
    "system:kube-dns": "list,watch core endpoints services",
    "system:persistent-volume-provisioner": """
        get,list,watch,create,delete core persistentvolumes
        get,list,watch,update core persistentvolumeclaims
        read storage.k8s.io storageclasses
        watch core events
        events
    """,
    f"system:{_CSR}:certificatesigningrequests:nodeclient": f"create {_CSR} certificatesigningrequests/nodeclient",
    f"system:{_CSR}:certificatesigningrequests:selfnodeclient": (
        f"create {_CSR} certificatesigningrequests/selfnodeclient"
    ),
    "system:volume-scheduler": """
        edit core persistentvolumes
        read storage.k8s.io storageclasses
        edit core persistentvolumeclaims
    """,
    f"system:{_CSR}:legacy-unknown-approver": f"approve {_CSR} signers=kubernetes.io/legacy-unknown",
    f"system:{_CSR}:kubelet-serving-approver": f"approve {_CSR} signers=kubernetes.io/kubelet-serving",
    f"system:{_CSR}:kube-apiserver-client-approver": f"approve {_CSR} signers=kubernetes.io/kube-apiserver-client",
    f"system:{_CSR}:kube-apiserver-client-kubelet-approver": (
        f"approve {_CSR} signers=kubernetes.io/kube-apiserver-client-kubelet"
    ),
    "system:service-account-issuer-discovery": """
        get /.well-known/openid-configuration /.well-known/openid-configuration/ /openid/v1/jwks /openid/v1/jwks/
    """,
    "system:node-proxier": """
        list,watch core services endpoints
        read core nodes
        events
        list,watch networking.k8s.io servicecidrs
        list,watch discovery.k8s.io endpointslices
    """,
    "system:kube-scheduler": _SCHEDULER,
}
