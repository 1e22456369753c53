"""Whether what is served answers as what was trained does: parity.py asks a fresh process, which is replay.py.

May be touched: what is compared. replay.py imports TensorFlow alone, as a server does, and must go on doing so.
"""
