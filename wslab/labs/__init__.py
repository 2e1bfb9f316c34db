"""Servers and pages of experiments that are too long for a cell."""
