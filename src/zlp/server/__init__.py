"""The venue's HTTP and WebSocket doors: authentication, schemas and limits."""
