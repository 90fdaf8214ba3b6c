"""The front door of a site: haproxy and keepalived on machines of their own, in front of one or several clusters.

`reading` makes a `FrontDoor` (`resource`) of a YAML file; `haproxy` and `keepalived` turn it into their configuration,
purely; `files` says which balancer gets which file and writes them; `checking` asks the real programs. Decision 0042.
"""
