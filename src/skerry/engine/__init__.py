"""The embedded single-machine Kubernetes.

`program` wires its rooms together; everything else reaches it through the Kubernetes API.
"""
