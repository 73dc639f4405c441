"""The Python SDK for a running venue, with plain and asynchronous calls."""
