"""Lesson 14, ping, silence, goodbye: the close frame, when to come back, and when to ping (RFC 6455 §5.5, §7)."""

from wslab.exercises.sets import close_payloads, keep_alive, reconnecting

EXERCISES = (*close_payloads.EXERCISES, *reconnecting.EXERCISES, *keep_alive.EXERCISES)
