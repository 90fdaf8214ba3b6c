"""What an issuer is, and which of its fields nothing acts on here. Pure."""

from __future__ import annotations

from skerry.kube.objects import Obj

KINDS = ("acme", "ca", "selfSigned", "vault", "venafi")
_HERE = ("acme", "ca", "selfSigned")
_TSIG = ("HMACMD5", "HMACSHA1", "HMACSHA256", "HMACSHA512")


def objection(spec: Obj) -> str:
    """Why this cannot issue here, "" when it can."""
    kinds = [kind for kind in KINDS if kind in spec]
    if len(kinds) != 1:
        return f"an issuer is one of {', '.join(_HERE)}; this one has {', '.join(kinds) or 'none of them'}"
    if kinds[0] not in _HERE:
        return f"issuers of type {kinds[0]} are not supported by Skerry; those that are: {', '.join(_HERE)}"
    return _of_acme(spec["acme"]) if kinds[0] == "acme" else ""


def _of_acme(acme: Obj) -> str:
    if acme.get("preferredChain"):
        return "spec.acme.preferredChain is not supported by Skerry"
    if acme.get("profile"):
        return "spec.acme.profile is not supported by Skerry"
    if not str(acme["server"]).startswith(("https://", "http://")):
        return f"spec.acme.server: {acme['server']} is not the URL of a directory"
    for number, solver in enumerate(acme.get("solvers") or ()):
        if why := _of_solver(solver):
            return f"spec.acme.solvers[{number}]: {why}"
    return ""


def _of_solver(solver: Obj) -> str:
    if ("http01" in solver) == ("dns01" in solver):
        return "a solver is one of http01, dns01"
    if "http01" in solver:
        return "" if "ingress" in solver["http01"] else "http01 solvers other than ingress are not supported by Skerry"
    dns = solver["dns01"]
    others = [field for field in dns if field not in ("rfc2136", "cnameStrategy")]
    if others or "rfc2136" not in dns:
        return f"dns01 solvers other than rfc2136 are not supported by Skerry: {', '.join(others) or 'none is set'}"
    if dns.get("cnameStrategy") not in (None, "", "None", "Follow"):
        return f"dns01.cnameStrategy: {dns['cnameStrategy']} is neither None nor Follow"
    algorithm = dns["rfc2136"].get("tsigAlgorithm") or _TSIG[0]
    if algorithm.upper() not in (*_TSIG, "HMACSHA224", "HMACSHA384"):
        return f"dns01.rfc2136.tsigAlgorithm: {algorithm} is not one of {', '.join(_TSIG)}"
    return ""
