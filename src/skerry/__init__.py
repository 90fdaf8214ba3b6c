"""Skerry: a container platform for research teams.

`skerry.kube` is what every part shares; `skerry.engine` is an embedded single-machine Kubernetes; `skerry.platform`,
`skerry.portal` and `skerry.cli` stand above the Kubernetes API and speak nothing else (docs/architecture.md).
"""

__version__ = "0.1.0"
