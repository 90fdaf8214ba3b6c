"""Kinds as data: names, schemas, defaults, validation, patches, OpenAPI, printing."""
