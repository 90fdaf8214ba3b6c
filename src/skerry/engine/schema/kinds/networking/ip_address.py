"""IPAddress: an address that belongs to something. Source: `ValidateIPAddress(Update)` of `pkg/apis/networking`."""

from __future__ import annotations

from ipaddress import ip_address

from skerry.engine.schema.causes import immutable, required
from skerry.engine.schema.contract import Strategy
from skerry.kube.errors import Cause
from skerry.kube.objects import Obj


def canonical_ip(name: str) -> str:
    """Its name is the address, as addresses are written."""
    try:
        written = str(ip_address(name))
    except ValueError:
        return "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
    return "" if written == name else f"must be in canonical form ({written})"


class IPAddressStrategy(Strategy):
    """Whose it is, for good."""

    def validate(self, obj: Obj) -> list[Cause]:
        """What it belongs to has a resource and a name."""
        parent = (obj.get("spec") or {}).get("parentRef")
        if parent is None:
            return [required("spec.parentRef")]
        return [required(f"spec.parentRef.{part}") for part in ("resource", "name") if not parent.get(part)]

    def validate_update(self, new: Obj, old: Obj) -> list[Cause]:
        """Another owner needs another object."""
        parent = (new.get("spec") or {}).get("parentRef")
        return [] if parent == (old.get("spec") or {}).get("parentRef") else [immutable("spec.parentRef", parent)]
