"""Whether what is served answers as what was trained does: parity.py asks a fresh process, which is replay.py; there TensorFlow
answers by itself, and servers.py has servers answer over both protocols; one of them answers the test split too, for Pusher.

May be touched: what is compared, and which servers are asked. replay.py imports TensorFlow and the server, nothing of training, and
must go on doing so.
"""
