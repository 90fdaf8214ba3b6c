"""Stands for fusermount in the sandbox of a program that links libfuse 2: gives it the connection that the engine has
opened and mounted, so that the program needs no right to mount. Runs by itself, as the program's user: standard library
only. Source: libfuse 2.9, lib/mount.c (a descriptor is passed over the socket named by _FUSE_COMMFD).
"""

import array
import os
import socket
import sys

if "-u" not in sys.argv:
    with socket.socket(fileno=int(os.environ["_FUSE_COMMFD"])) as asking:
        given = array.array("i", [int(os.environ["SKERRY_FUSE"])])
        asking.sendmsg([b"\0"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, given)])
