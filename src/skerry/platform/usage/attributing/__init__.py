"""Whose an object is: noted when it is made, carried over from its owner, never changed."""
