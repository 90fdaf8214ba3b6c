"""What users of kubectl see of Pod Security."""

from __future__ import annotations

from tests.support.kubectl import Kubectl


async def test_labelling_warning_and_refusing(kubectl: Kubectl) -> None:
    await kubectl("run", "old", "--image=i:1")
    labelled = await kubectl("label", "ns", "default", "pod-security.kubernetes.io/enforce=restricted")
    reasons = "allowPrivilegeEscalation != false, unrestricted capabilities, runAsNonRoot != true, seccompProfile"
    assert labelled.err.splitlines() == [
        'Warning: existing pods in namespace "default" violate the new PodSecurity enforce level "restricted:latest"',
        f"Warning: old: {reasons}",
    ]
    refused = await kubectl.attempt("run", "new", "--image=i:1")
    assert refused.err.startswith(
        'Error from server (Forbidden): pods "new" is forbidden: violates PodSecurity "restricted:latest": '
        'allowPrivilegeEscalation != false (container "new" must set securityContext.allowPrivilegeEscalation=false), '
    )
    made = await kubectl("create", "deployment", "web", "--image=i:1")
    assert made.err.startswith('Warning: would violate PodSecurity "restricted:latest": ')
    wrong = await kubectl.attempt("label", "ns", "default", "pod-security.kubernetes.io/warn=strict")
    assert "must be one of privileged, baseline, restricted" in wrong.err
