"""The suite: one folder per way of testing."""
