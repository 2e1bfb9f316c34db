"""The test of knowledge before and after the course."""
