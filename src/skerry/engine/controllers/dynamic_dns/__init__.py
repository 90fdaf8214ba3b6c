"""DNS records on other people's servers, by RFC 2136: for hosts of Ingresses and Services, and for ACME's DNS-01.

`updating` asks a `server` through a `session`; nothing else in the engine changes records outside the cluster. `hosts`,
`claims` and `plan` decide, `controller` acts, and `waking` starts it when there is a Domain (docs/decisions/0043).
"""
