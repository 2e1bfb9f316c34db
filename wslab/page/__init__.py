"""Bytes only: the Echo test page, which a server gives to a browser."""
