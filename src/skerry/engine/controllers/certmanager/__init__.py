"""Certificates as cert-manager has them: who issues them, which are wanted, obtained in time and kept in Secrets.

One controller a kind, in folders of their own: `issuers` say whether they can issue, `certificates` decide what must be
issued (again), `requests` are answered by an issuer at hand or by an ACME server through `orders` and `challenges`,
`ingresses` ask for certificates by annotation. `authority` keeps the built-in one. They meet in the API only, and leave
objects alone whose definitions are somebody else's (docs/decisions/0038). Keys and signatures: `certificates/helper`.
"""
