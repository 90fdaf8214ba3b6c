"""The plug-ins of this server, in Kubernetes' order (`pkg/kubeapiserver/options/plugins.go`, AllOrderedPlugins).

A new plug-in is a file beside this one and a line here. Both phases run in this order; what is awaited (webhooks,
policies) comes late, quota last, so that it charges only what nothing else refuses.
"""

from __future__ import annotations

from skerry.engine.api.admission.certificate_requests import (
    certificate_approval,
    certificate_requester,
    certificate_signing,
    certificate_subject_restriction,
)
from skerry.engine.api.admission.chain import Chain
from skerry.engine.api.admission.claim_resize import claim_resize
from skerry.engine.api.admission.default_classes import default_ingress_class, default_storage_class
from skerry.engine.api.admission.default_tolerations import default_toleration_seconds
from skerry.engine.api.admission.dynamic.matching import Matching
from skerry.engine.api.admission.hooks.mutating import mutating_webhooks
from skerry.engine.api.admission.hooks.validating import validating_webhooks
from skerry.engine.api.admission.limit_ranger import limit_ranger
from skerry.engine.api.admission.namespace_lifecycle import namespace_lifecycle
from skerry.engine.api.admission.node_restriction import node_restriction
from skerry.engine.api.admission.pod_security.plugin import pod_security
from skerry.engine.api.admission.policies.mutating import mutating_policies
from skerry.engine.api.admission.policies.validating import validating_policies
from skerry.engine.api.admission.priority import priority
from skerry.engine.api.admission.resource_quota.plugin import resource_quota
from skerry.engine.api.admission.runtime_class import runtime_class
from skerry.engine.api.admission.service_account import service_account
from skerry.engine.api.admission.service_addresses import service_addresses
from skerry.engine.api.admission.storage_protection import storage_object_in_use_protection
from skerry.engine.api.admission.taint_nodes import taint_nodes_by_condition
from skerry.engine.api.auth.authority import Authority
from skerry.engine.api.auth.rbac.escalation import escalation_check
from skerry.engine.api.webhooks.client import WebhookClient
from skerry.engine.config import EngineConfig
from skerry.engine.schema.registry import Registry
from skerry.engine.store.contract import Store


def builtin_chain(
    config: EngineConfig, store: Store, registry: Registry, authority: Authority, client: WebhookClient
) -> Chain:
    """The chain of a server. Plug-ins read what they need from `store`, ask `authority` what users may and webhooks by
    `client`; none writes."""
    look, decide = Matching(store, registry), authority.decide
    return Chain(
        (
            namespace_lifecycle(store),
            limit_ranger(store),
            service_account(store),
            node_restriction(store, config.node_name, decide),
            taint_nodes_by_condition(),
            pod_security(store),
            priority(store),
            default_toleration_seconds(),
            default_storage_class(store),
            claim_resize(store),
            storage_object_in_use_protection(),
            runtime_class(store),
            certificate_requester(),
            certificate_approval(authority.decide),
            certificate_signing(authority.decide),
            certificate_subject_restriction(),
            default_ingress_class(store),
            service_addresses(config, store),
            escalation_check(authority),
            mutating_policies(store, registry, look, decide),
            mutating_webhooks(store, look, client, decide),
            validating_policies(store, registry, look, decide),
            validating_webhooks(store, look, client, decide),
            resource_quota(store, config.clock),
        )
    )
