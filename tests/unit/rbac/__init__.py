"""RBAC: rules, what covers what, defaults, decisions."""
