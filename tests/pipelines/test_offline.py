"""The count of attempts to leave the machine, which a test of a whole run rests on, counts."""

import subprocess
import sys

import pytest

LOOK = """
import socket
from tests.pipelines import offline

if not offline.leave_the_network():
    raise SystemExit(77)
with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
    print(offline.attempts())
for address in ("192.0.2.1", "2001:db8::1"):  # those that RFC 5737 and 3849 keep for examples
    try:
        socket.create_connection((address, 443), 1)
    except OSError:
        print(offline.attempts())
"""


def test_loopback_counts_as_nothing_and_every_other_address_is_counted():
    looked = subprocess.run([sys.executable, "-c", LOOK], capture_output=True, text=True, timeout=600, check=False)
    if looked.returncode == 77:
        pytest.skip("this system allows no network namespaces")
    assert looked.stdout.split() == ["0", "1", "2"], looked.stderr
