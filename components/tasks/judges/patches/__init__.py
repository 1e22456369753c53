"""Judges of components/tasks/patches."""
