"""The published pool designs as TOML files, and the loader that compiles one into genesis commands."""
