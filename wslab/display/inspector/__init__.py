"""Bytes and recordings as tables, every byte with its name."""
