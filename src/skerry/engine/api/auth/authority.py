"""Who decides what may be done: members of system:masters everything, nodes by the node authorizer, all others by RBAC.

Made once by `server`. `decide` is the authorizer the wrappers, the reviews and admission ask.
"""

from __future__ import annotations

from skerry.engine.api.auth.access import Authorizer, union
from skerry.engine.api.auth.authorization import masters
from skerry.engine.api.auth.node_authorizer import node_authorizer
from skerry.engine.api.auth.rbac.authorizer import RbacAuthorizer
from skerry.engine.store.contract import Store
from skerry.kube.records import record


@record
class Authority:
    """`rbac` has to be started to remember anything, and closed."""

    decide: Authorizer
    rbac: RbacAuthorizer


def authority_of(store: Store) -> Authority:
    """That of a server on this store."""
    rbac = RbacAuthorizer(store)
    return Authority(union(masters, node_authorizer(store), rbac), rbac)
