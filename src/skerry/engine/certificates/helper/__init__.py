"""A process beside the engine that works with keys, certificates and ACME servers, while there is such work.

`cryptography`, `acme` and `requests` cost 60 MB that Python never gives back, and an RSA key takes long enough to be
felt by everybody else on the event loop: so all of that happens in a program of its own, started at the first call,
ended when it was idle for a while or when its standard input ends (the engine may die as it likes). Keys travel
through its pipes, never in arguments or files. `process` is the engine's side, `__main__` the other one; `calls` lists
what can be asked for. Nothing here keeps state: what is to survive stands in objects of the API.
"""
