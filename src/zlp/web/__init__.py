"""The venue's page: static modules and style sheets which the server hands out as they are."""
