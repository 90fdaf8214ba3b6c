"""What the claims of a pod say about where it can go. Source: Kubernetes' plug-ins `volumebinding`,
`volumerestrictions`, `nodevolumelimits` and `volumezone`.

`needs` reads a pod's claims, `binding` finds volumes for those that wait for a node, `limits` and `reach` are rules on
nodes, `promises` is what was decided and does not show yet, `watching` says which pods a change of storage concerns.
"""
