"""DNS records on other people's servers, by RFC 2136: for hosts of Ingresses and Services, and for ACME's DNS-01.

`server` says where and with which key, `session` how messages go there and back, `updating` what is asked of the
server. Nothing else in the engine changes records outside the cluster.
"""
