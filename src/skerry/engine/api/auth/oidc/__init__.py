"""Users of OpenID Connect issuers, as an AuthenticationConfiguration (`apiserver.config.k8s.io/v1`) describes them.

`settings` is what it says, `reading` makes that of a file, `mapping` makes a user of claims, `keys` fetches an issuer's
keys, `authenticator` puts it together. Nothing of this is imported unless there is such a file. Source of the
behaviour: Kubernetes' `apiserver/plugin/pkg/authenticator/token/oidc` and `apiserver/pkg/apis/apiserver/validation`.
"""
