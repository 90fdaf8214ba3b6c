"""One file per page, its template beside it by name in `templates/`. `all.PAGES` lists them."""
