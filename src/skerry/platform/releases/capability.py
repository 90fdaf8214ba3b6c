"""What this capability brings: the kind Release, what people may do with it, and who carries it out."""

from __future__ import annotations

from collections.abc import Sequence

from skerry.kube.controller import Controller
from skerry.platform.base.capability import Capability, Context
from skerry.platform.releases.rights import RIGHTS, shipped
from skerry.platform.releases.types import RELEASE


def _controllers(context: Context) -> Sequence[Controller]:
    from skerry.platform.releases.controller import ReleaseController

    return [ReleaseController(context)]


RELEASES = Capability(name="releases", kinds=(RELEASE,), rights=RIGHTS, objects=shipped, controllers=_controllers)
