"""Pod Security: namespaces choose a level by labels; `kube.pod_security` says what violates it."""
