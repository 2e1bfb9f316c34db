"""Checks: cases played with a learner's function, and what is wrong with what comes of them."""
