"""Which pods stand behind a Service: Endpoints and EndpointSlices."""
