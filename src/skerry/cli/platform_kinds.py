"""The platform's kinds that commands name. What they mean says `platform.projects.types`, which costs pydantic."""

from __future__ import annotations

from skerry.kube.objects import Resource

TIERS = Resource("skerry.dev", "v1alpha1", "tiers", "Tier", namespaced=False)
PROJECTS = Resource("skerry.dev", "v1alpha1", "projects", "Project", namespaced=False)
PROJECT_REQUESTS = Resource("skerry.dev", "v1alpha1", "projectrequests", "ProjectRequest", namespaced=False)
CATALOGS = Resource("skerry.dev", "v1alpha1", "catalogs", "Catalog")
CATALOG_ENTRIES = Resource("skerry.dev", "v1alpha1", "catalogentries", "CatalogEntry")
GLOBAL_NAMESPACE = "skerry-catalogs"
"""Catalogues here are everybody's."""
RELEASES = Resource("skerry.dev", "v1alpha1", "releases", "Release")
