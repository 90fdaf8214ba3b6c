"""Annotations, labels and names that cert-manager gives a meaning.

Source: cert-manager's `pkg/apis/certmanager/v1/types.go`. Those of the domain `skerry.dev` are ours.
"""

from __future__ import annotations

from skerry.engine.certificates import built_in

GROUP = "cert-manager.io"
CERTIFICATE_NAME = f"{GROUP}/certificate-name"
CERTIFICATE_REVISION = f"{GROUP}/certificate-revision"
PRIVATE_KEY_SECRET = f"{GROUP}/private-key-secret-name"
NEXT_PRIVATE_KEY = f"{GROUP}/next-private-key"
ISSUER_NAME = f"{GROUP}/issuer-name"
ISSUER_KIND = f"{GROUP}/issuer-kind"
ISSUER_GROUP = f"{GROUP}/issuer-group"
ALT_NAMES = f"{GROUP}/alt-names"
IP_SANS = f"{GROUP}/ip-sans"
URI_SANS = f"{GROUP}/uri-sans"
EMAIL_SANS = f"{GROUP}/email-sans"
COMMON_NAME = f"{GROUP}/common-name"
OF_CERTIFICATES = "controller.cert-manager.io/fao"

CLUSTER_NAMESPACE = built_in.NAMESPACE
"""Where the Secrets of ClusterIssuers are."""
ELSEWHERE = "cert-manager"
"""And where they may be too: manifests written for cert-manager put them there."""
NOT_BEFORE = "skerry.dev/not-before"
"""Of a failed CertificateRequest: when the issuer may be asked again, as it said itself."""
ASKS_FOR = "skerry.dev/asks-for"
"""Of a CertificateRequest that a Certificate made: a digest of what was wanted."""
NAMESERVERS = "skerry.dev/nameservers"
"""Of an issuer: which name servers tell what the ACME server will see, `address[:port]` by commas."""
DEFAULT_ISSUER = "skerry.dev/is-default-issuer"
"""Of a ClusterIssuer, "true": used for Ingresses that ask for a certificate without naming an issuer."""
BUILT_IN = built_in.NAME
"""The ClusterIssuer of the built-in authority, its Secret and the ConfigMap that publishes it."""
