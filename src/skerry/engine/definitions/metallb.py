"""MetalLB's kinds for LoadBalancer addresses: pools of them, and how they are announced.

Source: metallb.io/v1beta1 as of MetalLB 0.15, without what needs BGP.
"""

from __future__ import annotations

from skerry.engine.definitions.notation import (
    AGE,
    BOOLEAN,
    INTEGER,
    LABEL_SELECTOR,
    STRING,
    Column,
    Definition,
    array,
    obj,
)
from skerry.kube.objects import Resource

_GROUP, _VERSION = "metallb.io", "v1beta1"
ADDRESS_POOLS = Resource(_GROUP, _VERSION, "ipaddresspools", "IPAddressPool")
L2_ADVERTISEMENTS = Resource(_GROUP, _VERSION, "l2advertisements", "L2Advertisement")

_RANGE = {**STRING, "maxLength": 100}
_WELL_FORMED = {
    "rule": "self.spec.addresses.all(a, isCIDR(a.trim()) ||"
    " (a.split('-').size() == 2 && a.split('-').all(one, isIP(one.trim()))))",
    "message": "addresses must be networks (192.0.2.0/24) or ranges (192.0.2.1-192.0.2.9)",
}
"""MetalLB refuses others by a webhook."""

_ALLOCATION = obj(
    {
        "priority": INTEGER,
        "namespaces": array(STRING),
        "namespaceSelectors": array(LABEL_SELECTOR),
        "serviceSelectors": array(LABEL_SELECTOR),
    }
)

DEFINITIONS = (
    Definition(
        ADDRESS_POOLS,
        spec=obj(
            {
                "addresses": array(_RANGE, minItems=1, maxItems=1000),
                "autoAssign": {**BOOLEAN, "default": True},
                "avoidBuggyIPs": {**BOOLEAN, "default": False},
                "serviceAllocation": _ALLOCATION,
            },
            "addresses",
        ),
        status=obj(dict.fromkeys(("assignedIPv4", "assignedIPv6", "availableIPv4", "availableIPv6"), INTEGER)),
        rules=(_WELL_FORMED,),
        columns=(
            Column("Auto Assign", ".spec.autoAssign", "boolean"),
            Column("Avoid Buggy IPs", ".spec.avoidBuggyIPs", "boolean"),
            Column("Addresses", ".spec.addresses"),
            AGE,
        ),
    ),
    Definition(
        L2_ADVERTISEMENTS,
        spec=obj(
            {
                "ipAddressPools": array(STRING),
                "ipAddressPoolSelectors": array(LABEL_SELECTOR),
                "nodeSelectors": array(LABEL_SELECTOR),
                "interfaces": array(STRING),
            }
        ),
        status=obj({}),
        columns=(
            Column("IPAddressPools", ".spec.ipAddressPools"),
            Column("Interfaces", ".spec.interfaces"),
            AGE,
        ),
        required=(),
    ),
)
