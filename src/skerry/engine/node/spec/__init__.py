"""From a pod's spec to what the runtime is told: environment, security, resources, names, addresses; all pure."""
