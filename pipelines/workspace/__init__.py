"""The workspace's files: where they lie (layout.py, the one place that joins paths), the record of runs, what may be deleted, and
what trained models a config can start from. Light, and below all other wings.
"""
