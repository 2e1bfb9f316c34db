"""Recordings as pictures, each with a text that says the same."""
