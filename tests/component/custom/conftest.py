"""A running server and the real kubectl against it."""

from tests.component.api.conftest import api, kubectl

__all__ = ["api", "kubectl"]
