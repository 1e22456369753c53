"""Runs `hubel` where there is no network but loopback, and counts what tried to leave: by any process, in any language.

`python -m tests.pipelines.offline FILE ARGUMENT...`: `hubel ARGUMENT...` in a network namespace of its own.
FILE gets how many packets and connections had nowhere to go. Where a system allows no such namespace, FILE gets null and `hubel`
runs as always.
"""

import ctypes
import fcntl
import json
import os
import socket
import struct
import subprocess
import sys
from pathlib import Path

NEW_USER, NEW_NETWORK = 0x10000000, 0x40000000  # CLONE_NEWUSER, CLONE_NEWNET of sched.h
SET_FLAGS, UP = 0x8914, 0x1 | 0x40  # SIOCSIFFLAGS; IFF_UP | IFF_RUNNING


def leave_the_network() -> bool:
    """Give this process and what it starts a network of loopback alone. Returns whether the system allows that."""
    wanted = NEW_NETWORK if os.geteuid() == 0 else NEW_USER | NEW_NETWORK
    if ctypes.CDLL(None, use_errno=True).unshare(wanted):
        return False
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SET_FLAGS, struct.pack("16sh14x", b"lo", UP))
    return True


def attempts() -> int:
    """How often a packet or a connection of this namespace, IPv4 or IPv6, had no way to go; a look-up of a name is one or two."""
    names, values = (line.split() for line in Path("/proc/net/snmp").read_text().splitlines() if line.startswith("Ip:"))
    six = dict(line.split() for line in Path("/proc/net/snmp6").read_text().splitlines())
    return int(dict(zip(names, values, strict=True))["OutNoRoutes"]) + int(six["Ip6OutNoRoutes"])


if __name__ == "__main__":
    is_alone = leave_the_network()
    code = subprocess.run([sys.executable, "-m", "pipelines.command_line.cli", *sys.argv[2:]], check=False).returncode
    Path(sys.argv[1]).write_text(json.dumps(attempts() if is_alone else None))
    sys.exit(code)
