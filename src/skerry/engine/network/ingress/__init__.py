"""Ingress by Caddy: which Ingresses are ours, which routes they come to, Caddy's configuration, process and status.

Pure: `classes`, `annotations`, `rules`, `hosts`, `backends`, `plan`, and what renders a plan for Caddy (`document`,
`routes`, `proxying`, `tls`). Acting: `caddy` and `admin` (the process), `published` (the Service), `reports` (status,
events), `controller`, and `cluster_ingress`, which is all of it. Decision 0037; docs/resources/ingress.md.
"""
