"""All controllers of certificates: started with the others by `program`, not in test clusters."""

from __future__ import annotations

from collections.abc import Sequence

from skerry.engine.certificates.helper.process import Helper
from skerry.engine.controllers.certmanager.authority import Authority
from skerry.engine.controllers.certmanager.certificates.controller import CertificateController
from skerry.engine.controllers.certmanager.challenges.controller import ChallengeController
from skerry.engine.controllers.certmanager.ingresses.controller import IngressCertificates
from skerry.engine.controllers.certmanager.issuers.controller import IssuerController
from skerry.engine.controllers.certmanager.orders.controller import OrderController
from skerry.engine.controllers.certmanager.requests.controller import RequestController
from skerry.engine.controllers.certmanager.room import Room
from skerry.engine.controllers.context import Context
from skerry.engine.definitions.certmanager import CLUSTER_ISSUERS, ISSUERS
from skerry.kube.controller import Controller

IDENTITY = "cert-manager"
"""The service account in kube-system that they act as."""


def make_certificate_controllers(context: Context, helper: Helper) -> Sequence[Controller]:
    """Connected to their informers, not yet started. `helper` is closed after them, by whoever made it."""
    room = Room(context.acting_as(IDENTITY), helper)
    return [
        Authority(room),
        IssuerController(room, ISSUERS),
        IssuerController(room, CLUSTER_ISSUERS),
        CertificateController(room),
        RequestController(room),
        OrderController(room),
        ChallengeController(room),
        IngressCertificates(room),
    ]
