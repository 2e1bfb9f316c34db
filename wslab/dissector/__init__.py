"""Bytes only: what both sides of a connection say, seen from outside, legal or not."""
