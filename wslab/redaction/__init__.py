"""Bytes only: what is secret, crossed out wherever it would be shown or saved."""
