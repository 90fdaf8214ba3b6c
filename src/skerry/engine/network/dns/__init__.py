"""Cluster DNS: names of services, endpoints and pods for pods; everything else is asked of the machine's resolvers.

`zone` says which records a name has (pure), `directory` finds the objects it needs, `message` speaks the wire format,
`upstream` asks others, `resolver` brings these together and keeps answers, `server` listens, `published` keeps the
Service `kube-dns`, `cluster_dns` is the whole. Follows the Kubernetes DNS specification 1.1.0.
"""
