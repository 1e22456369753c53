"""Worker side: a RunConfig settled, wired as a TFX pipeline, launched, and answered from its artifacts. Experiments are many of
these.

Lives here, in the order of a run: execute.py is what is asked; settled.py looks up and tries all that a config names, once;
pipeline.py gives each component its slice; launch.py runs them (local.py, node by node); answer.py and training.py read what
came out. May be touched: each by itself. A new question to a config goes into settled.py; launching and answering know no
config, and components get slices alone.
"""
