"""Into the pods of this machine: exec, attach, logs, port-forward, usage. What `engine.api.pod_access` asks for.

`pod_access.NodePodAccess` is the implementation, one file per stream beside it. Neighbours: `node.cri` finds
containers, `node.containerd.client` runs processes in them. Nothing here knows the API server.
"""
