"""cert-manager's kinds for certificates: who issues them, which are wanted, requests for one.

Source: cert-manager.io/v1 as of cert-manager 1.18. What is there but not acted on is kept, so that it can be refused by
name in the status of the object.
"""

from __future__ import annotations

from collections.abc import Mapping

from skerry.engine.definitions.notation import (
    AGE,
    ANYTHING,
    BOOLEAN,
    CONDITIONS,
    INTEGER,
    STRING,
    TIME,
    Column,
    Definition,
    Schema,
    array,
    mapping,
    obj,
    one_of,
)
from skerry.kube.objects import Resource

_GROUP, _VERSION = "cert-manager.io", "v1"
CERTIFICATES = Resource(_GROUP, _VERSION, "certificates", "Certificate")
CERTIFICATE_REQUESTS = Resource(_GROUP, _VERSION, "certificaterequests", "CertificateRequest")
ISSUERS = Resource(_GROUP, _VERSION, "issuers", "Issuer")
CLUSTER_ISSUERS = Resource(_GROUP, _VERSION, "clusterissuers", "ClusterIssuer", namespaced=False)

_STRINGS = array(STRING)
_BYTES: Schema = {"type": "string", "format": "byte"}
_LOCAL_REFERENCE = obj({"name": STRING}, "name")
_SECRET_KEY = obj({"name": STRING, "key": STRING}, "name")
ISSUER_REFERENCE = obj({"name": STRING, "kind": STRING, "group": STRING}, "name")
_USAGE = one_of(
    "signing", "digital signature", "content commitment", "key encipherment", "key agreement", "data encipherment",
    "cert sign", "crl sign", "encipher only", "decipher only", "any", "server auth", "client auth", "code signing",
    "email protection", "s/mime", "ipsec end system", "ipsec tunnel", "ipsec user", "timestamping", "ocsp signing",
    "microsoft sgc", "netscape sgc",
)  # fmt: skip
_SUBJECT = obj(
    {
        **dict.fromkeys(("organizations", "countries", "organizationalUnits", "localities", "provinces"), _STRINGS),
        **dict.fromkeys(("streetAddresses", "postalCodes"), _STRINGS),
        "serialNumber": STRING,
    }
)
_PRIVATE_KEY = obj(
    {
        "rotationPolicy": one_of("Never", "Always"),
        "encoding": one_of("PKCS1", "PKCS8"),
        "algorithm": one_of("RSA", "ECDSA", "Ed25519"),
        "size": INTEGER,
    }
)

_HTTP01 = obj(
    {
        "ingress": obj(
            {
                **dict.fromkeys(("class", "ingressClassName", "name", "serviceType"), STRING),
                **dict.fromkeys(("podTemplate", "ingressTemplate"), ANYTHING),
            }
        ),
        "gatewayHTTPRoute": ANYTHING,
    }
)
_RFC2136 = obj(
    {
        **dict.fromkeys(("nameserver", "tsigKeyName", "tsigAlgorithm", "protocol"), STRING),
        "tsigSecretSecretRef": _SECRET_KEY,
    },
    "nameserver",
)
_OTHER_DNS = (
    "acmeDNS", "akamai", "azureDNS", "cloudDNS", "cloudflare", "digitalocean", "route53", "webhook",
)  # fmt: skip
_DNS01 = obj({"cnameStrategy": STRING, "rfc2136": _RFC2136, **dict.fromkeys(_OTHER_DNS, ANYTHING)})
SOLVER = obj(
    {
        "selector": obj({"matchLabels": mapping(STRING), "dnsNames": _STRINGS, "dnsZones": _STRINGS}),
        "http01": _HTTP01,
        "dns01": _DNS01,
    }
)
_ACME = obj(
    {
        **dict.fromkeys(("email", "server", "preferredChain", "profile"), STRING),
        "caBundle": _BYTES,
        **dict.fromkeys(("skipTLSVerify", "disableAccountKeyGeneration", "enableDurationFeature"), BOOLEAN),
        "externalAccountBinding": obj(
            {"keyID": STRING, "keySecretRef": _SECRET_KEY, "keyAlgorithm": STRING}, "keyID", "keySecretRef"
        ),
        "privateKeySecretRef": _SECRET_KEY,
        "solvers": array(SOLVER),
    },
    "server",
    "privateKeySecretRef",
)
_AUTHORITY = obj(
    {"secretName": STRING, **dict.fromkeys(("crlDistributionPoints", "ocspServers"), _STRINGS)}, "secretName"
)
_ISSUER = obj(
    {
        "acme": _ACME,
        "ca": _AUTHORITY,
        "selfSigned": obj({"crlDistributionPoints": _STRINGS}),
        "vault": ANYTHING,
        "venafi": ANYTHING,
    }
)
_ISSUER_STATUS = obj(
    {
        "conditions": CONDITIONS,
        "acme": obj(dict.fromkeys(("uri", "lastRegisteredEmail", "lastPrivateKeyHash"), STRING)),
        "ca": obj({"checkedSecret": STRING}),  # ours: uid and revision of the Secret that was found to be good
    }
)

_CERTIFICATE: Mapping[str, Schema] = {
    **dict.fromkeys(("secretName", "commonName", "duration", "renewBefore", "literalSubject"), STRING),
    **dict.fromkeys(("dnsNames", "ipAddresses", "uris", "emailAddresses"), _STRINGS),
    "renewBeforePercentage": INTEGER,
    "revisionHistoryLimit": {**INTEGER, "minimum": 1},
    **dict.fromkeys(("isCA", "encodeUsagesInRequest"), BOOLEAN),
    "issuerRef": ISSUER_REFERENCE,
    "usages": array(_USAGE),
    "subject": _SUBJECT,
    "privateKey": _PRIVATE_KEY,
    "secretTemplate": obj({"annotations": mapping(STRING), "labels": mapping(STRING)}),
    "additionalOutputFormats": array(obj({"type": one_of("DER", "CombinedPEM")}, "type")),
    "signatureAlgorithm": STRING,
    **dict.fromkeys(("keystores", "nameConstraints"), ANYTHING),
    "otherNames": array(ANYTHING),
}
_CERTIFICATE_STATUS = obj(
    {
        "conditions": CONDITIONS,
        **dict.fromkeys(("lastFailureTime", "notBefore", "notAfter", "renewalTime"), TIME),
        **dict.fromkeys(("revision", "failedIssuanceAttempts"), INTEGER),
        "nextPrivateKeySecretName": STRING,
    }
)
_REQUEST = obj(
    {
        "request": _BYTES,
        "duration": STRING,
        "issuerRef": ISSUER_REFERENCE,
        "isCA": BOOLEAN,
        "usages": array(_USAGE),
        **dict.fromkeys(("username", "uid"), STRING),
        "groups": _STRINGS,
        "extra": mapping(_STRINGS),
    },
    "request",
    "issuerRef",
)
_REQUEST_STATUS = obj({"conditions": CONDITIONS, "certificate": _BYTES, "ca": _BYTES, "failureTime": TIME})


def _condition(kind: str, field: str = "status") -> str:
    return f'.status.conditions[?(@.type=="{kind}")].{field}'


READY = Column("Ready", _condition("Ready"))
STATUS = Column("Status", _condition("Ready", "message"), priority=1)
ISSUER = Column("Issuer", ".spec.issuerRef.name", priority=1)
_CATEGORIES = ("cert-manager",)

DEFINITIONS = (
    Definition(
        CERTIFICATES,
        spec=obj(_CERTIFICATE, "secretName", "issuerRef"),
        status=_CERTIFICATE_STATUS,
        columns=(READY, Column("Secret", ".spec.secretName"), ISSUER, STATUS, AGE),
        short_names=("cert", "certs"),
        categories=_CATEGORIES,
    ),
    Definition(
        CERTIFICATE_REQUESTS,
        spec=_REQUEST,
        status=_REQUEST_STATUS,
        columns=(
            Column("Approved", _condition("Approved")),
            Column("Denied", _condition("Denied")),
            READY,
            Column("Issuer", ".spec.issuerRef.name"),
            STATUS,
            AGE,
        ),
        short_names=("cr", "crs"),
        categories=_CATEGORIES,
    ),
    Definition(
        ISSUERS, spec=_ISSUER, status=_ISSUER_STATUS, columns=(READY, STATUS, AGE), categories=_CATEGORIES,
    ),
    Definition(
        CLUSTER_ISSUERS, spec=_ISSUER, status=_ISSUER_STATUS, columns=(READY, STATUS, AGE), categories=_CATEGORIES,
    ),
)  # fmt: skip
