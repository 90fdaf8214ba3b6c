"""The engine as a program: the only room that knows all others. It wires them, keeps them running, takes them down.

`__main__` is the command line, `engine` the wiring, `process` the engine's own process seen from outside, `stopping`
the way down, `status` what the command line reads.
"""
