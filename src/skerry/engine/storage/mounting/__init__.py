"""The kubelet's side of volumes that outlive pods: from a claim to a directory or device that a container is given.

`pods` is the entrance (a pod's whole set, what it waits for, what is mounted); `sources` and `resolving` decide purely,
`reading` asks the API as the node, `mounter` calls drivers, one call per volume at a time; `journal` is what the next
engine knows after a crash. Invariant: whatever a driver was asked to mount is in the journal before it was asked.
"""
