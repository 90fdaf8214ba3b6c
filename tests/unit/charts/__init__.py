"""The charts of the catalogue, as files and as what Helm makes of them."""
