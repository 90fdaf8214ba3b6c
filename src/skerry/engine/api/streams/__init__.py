"""Streams into pods: exec, attach, port-forward, logs, and the resource metrics API.

`upgrade.serve_websocket` is the one entry for WebSocket scopes, after authentication and authorisation; `logs` and
`metrics` are plain functions the router's handlers call. Everything here reaches pods through
`engine.api.pod_access` only. Files: `channels` and `spdy` are pure codecs; `websocket` wraps ASGI; `remote_command`
and `port_forward` move bytes.
"""
