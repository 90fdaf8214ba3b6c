"""Challenges: a name proven to an ACME server by an answer over HTTP (the Ingress's) or by a DNS record (`dns01`)."""
