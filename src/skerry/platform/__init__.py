"""The platform: what research teams need beyond Kubernetes, as resources and their reconcilers, on any Kubernetes API.

A capability is a folder; capabilities do not import each other, they meet in the API. `base` is what all of them share,
`program` the process that runs them.
"""
