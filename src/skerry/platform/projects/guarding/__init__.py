"""What members of projects may not do although they may write objects of that kind: hooks, one file per concern.

RBAC says who may write what. These narrow it where RBAC has no words: which namespaces somebody makes, which fields of
a Project its owners change, which objects are the platform's, what would outlive a membership.
"""
