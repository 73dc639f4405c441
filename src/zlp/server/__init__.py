"""The venue's doors: HTTP and WebSocket. Signatures, limits and errors live here; rules live in the engine."""
