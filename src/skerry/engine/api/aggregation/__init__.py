"""Extension API servers: group versions that an APIService says another server has, behind a Service of the cluster.

To clients they are part of this API. Requests are authenticated and authorised here and passed on with the user's name
in headers, under the certificate of the front proxy. Source: Kubernetes' `kube-aggregator`.
"""
