"""Third parties' storage drivers, over their sockets, unmodified (Container Storage Interface 1.11).

`remote_driver` speaks to one driver; `registration` finds them where the kubelet does and tells the API of them;
`attaching` attaches volumes to this node; `kubelet_directory` makes the paths that charts have written down lead to
ours. Invariant: nothing here imports protobuf messages or gRPC before the first driver of a third party is there.
"""
