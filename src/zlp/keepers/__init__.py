"""Bots that only watch and submit, and the narrow port through which they see a venue."""
