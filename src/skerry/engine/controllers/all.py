"""All controllers of the engine: `program` makes them once, starts the informers, then starts each.

controllers = make_controllers(context)
await context.informers.start()
for controller in controllers: controller.start()
...
for controller in controllers: await controller.close()
"""

from __future__ import annotations

from skerry.engine.controllers.context import Context
from skerry.engine.controllers.deployment.controller import DeploymentController
from skerry.engine.controllers.replicaset.controller import ReplicaSetController
from skerry.engine.controllers.scheduler.controller import Scheduler
from skerry.kube.controller import Controller


def make_controllers(context: Context) -> list[Controller]:
    """Every controller, connected to its informers, not yet started."""
    return [
        Scheduler(context),
        ReplicaSetController(context),
        DeploymentController(context),
    ]
