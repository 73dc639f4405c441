"""One process that sequences commands, applies them, writes the journal and only then publishes."""
