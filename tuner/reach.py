"""Whether anybody listens at an address. Light: it is asked before libraries load, which takes longer than an answer."""

import socket

SECONDS = 3.0  # that a connection may take


def silence(host: str, port: int, seconds: float = SECONDS) -> str:
    """Why nobody can be reached there, in a few words; "" where somebody listens."""
    try:
        with socket.create_connection((host, port), timeout=seconds):
            return ""
    except socket.gaierror:
        return f"the name {host} is not known"
    except OSError as error:
        return error.strerror.lower() if error.strerror else "it does not respond"
