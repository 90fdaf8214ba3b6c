"""Whether objects have the fields that their kinds have: `schemas` finds the schema, `validating` compares."""
