"""The bug zoo: servers and clients with one real bug each, their captures, and probes that catch them."""

from wslab.exercises.zoo.line import DEFLATE, answer, dial
from wslab.exercises.zoo.matrix import bugs, matrix
from wslab.exercises.zoo.probing import capture
from wslab.exercises.zoo.residents import BUGS

__all__ = ["BUGS", "DEFLATE", "answer", "bugs", "capture", "dial", "matrix"]
