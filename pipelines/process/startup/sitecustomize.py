"""Runs at the start of the worker and of every Python process that Beam spawns: they import TFDV before any hubel code."""

import gc
import importlib.util
import os
import sys

from components.compat import tfdv

tfdv.install()

# Imports make a million objects that stay, and every 700th has Python look through some of them again: a fifth of their time.
gc.set_threshold(50_000)

# Another sitecustomize (a distribution's, a user's) comes after this folder on the path: it still gets its turn.
_own = os.path.dirname(os.path.abspath(__file__))
_spec = importlib.machinery.PathFinder.find_spec("sitecustomize", [p for p in sys.path if os.path.abspath(p or ".") != _own])
if _spec is not None and _spec.loader is not None:
    _spec.loader.exec_module(importlib.util.module_from_spec(_spec))
