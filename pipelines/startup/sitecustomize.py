"""Runs at the start of the worker and of every Python process that Beam spawns: they import TFDV before any hubel code."""

import importlib.util
import os
import sys

from components import compat

compat.install()

# Another sitecustomize (a distribution's, a user's) comes after this folder on the path: it still gets its turn.
_own = os.path.dirname(os.path.abspath(__file__))
_spec = importlib.machinery.PathFinder.find_spec("sitecustomize", [p for p in sys.path if os.path.abspath(p or ".") != _own])
if _spec is not None and _spec.loader is not None:
    _spec.loader.exec_module(importlib.util.module_from_spec(_spec))
