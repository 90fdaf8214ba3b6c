"""A real Kubernetes API inside pytest: no root, no containers, ready in a fraction of a second.

    from skerry.testing import cluster

    def test_my_operator() -> None:
        with cluster(nodes=2) as kubernetes:
            run(kubeconfig=kubernetes.kubeconfig)

Neighbours: `cluster` (what users hold), `running` (what runs behind it), `rule` (what simulated pods do), `plugin`
(pytest fixtures). Imports of the engine wait until a cluster is started: pytest loads the plug-in in every run.
"""

from skerry.testing.cluster import Cluster, cluster

__all__ = ["Cluster", "cluster"]
