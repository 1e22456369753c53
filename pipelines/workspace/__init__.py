"""The workspace's files: where they lie (layout.py, the one place that joins paths), the record of runs (runs.py), what may be
deleted (collect.py), what trained models a network starts from (starts.py; origins.py finds those of a transfer), and
whether a run's answer is known before it begins (unchanged.py). Light, and below all other wings.

May be touched: what is looked at. Files that are there already must go on being read: keys of run.json may come, none may go.
"""
