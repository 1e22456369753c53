"""The runner of every Beam pipeline that hubel starts, by its name.

Beam 2.77's default is another: it first tries to download a program (Prism) from the internet and to run the pipeline on that.
"""

NAME = "FnApiRunner"  # in this process's memory
FLAG = f"--runner={NAME}"
