"""One app as the portal sees it: what belongs to a Release, its revisions, its values. Pure, on plain objects."""
