"""Certificates that Ingresses ask for by annotation (cert-manager's ingress-shim): which (`wanted`), what is told about
them at the Ingress (`reports`); `controller` makes and removes them."""
