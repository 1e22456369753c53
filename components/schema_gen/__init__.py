"""What data looks like, learned from the training split or pinned by a person: the Schema, which carries the names of classes.

May be touched: what is inferred. The keys under which names and changes travel are read by later stages (names.py).
"""
