"""Pod network, services and host exposure: CNI and nftables.

`features` says what this machine lacks; `cni` configures pod interfaces; `services` turns API objects into forwards
(pure), `tables` turns forwards into one nftables table (pure), `proxy` keeps that table current; `host` sets up the
machine's routes and switches and takes them away again.
"""
