"""Claims and volumes as Kubernetes' controller manager keeps them. Knows no storage driver: whoever provisions (a
built-in driver, somebody's CSI driver) makes PersistentVolumes, and what is here binds, releases and protects them.

Listing: `binder` (the PersistentVolume controller) with its pure decisions in `claims` and `volumes`, `matching` (which
volume fits, used by the scheduler too), `ephemeral` (claims made for pods), `protection`
(finalizers), `reclaiming` (what follows a release). Names that other programs know too are in `kube.volumes`.
"""
