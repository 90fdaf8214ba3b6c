"""Skerry's own containerd: its mount namespace, configuration, supervision, images, events, and what sweeps it away.

Neighbours: `engine.node.cri` speaks the runtime's pod interface; this room owns the process behind the socket and
containerd's own API (`api.proto`), which knows what CRI does not say: task events, and exec with plain FIFOs.
"""
