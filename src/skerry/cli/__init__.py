"""The command line: one file per command, imported when it is called.

Only `up` imports the engine, because it makes the instance. Every other command uses the instance's files
(`instance_files`), its kubeconfig over HTTP (`api`) or its containerd (`containerd`), or starts a module of the engine
as a program (`engine_process`). Exit codes are in `errors`.
"""
