"""Streams into pods: exec, attach, port-forward, logs, and the resource metrics API.

`upgrade` is the one entry for WebSockets and SPDY, after authentication and authorisation; `logs` and `metrics` are
plain functions the router's handlers call. Everything here reaches pods through `engine.api.pod_access` only. Files:
`channels` and `spdy` are pure codecs; `link` is what carries bytes, `websocket` one over ASGI; `spdy_session` makes
streams of bytes; `remote_command` and `port_forward` are the conversations, whatever carries them.
"""
