"""Applications for Docker Compose as Kubernetes manifests or as a chart, and by name what has no counterpart.

`loading` has Compose itself read the files; `translate` makes objects of what it says, purely, service by service
(`workloads`, `containers`, `mounts`, `network`); `writing` and `chart` put them into a directory. Decision 0071.
"""
