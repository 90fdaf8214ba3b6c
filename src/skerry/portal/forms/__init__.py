"""A form from a chart's schema, and values from what was filled in. Pure: knows neither pages nor the cluster."""
