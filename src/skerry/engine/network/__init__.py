"""Pod network, services, names and host exposure: CNI, nftables, DNS.

`features` says what this machine lacks; `cni` configures pod interfaces; `services` turns API objects into forwards
(pure), `tables` turns forwards into one nftables table (pure), `proxy` keeps that table current; `dns` answers names;
`host` sets up the machine's routes and switches and takes them away again.
"""
