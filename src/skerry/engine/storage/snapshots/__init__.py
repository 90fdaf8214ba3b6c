"""Snapshots of volumes: what snapshot-controller and csi-snapshotter do, over `contract.Driver`."""
