"""A class at once: a server for a teacher and thirty students."""
