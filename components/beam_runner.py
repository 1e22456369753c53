"""The runner of every Beam pipeline that hubel starts, by its name.

Beam 2.77's default is another: it first tries to download a program (Prism) from the internet and to run the pipeline on that. The
name is not a flag, because TFX packs itself for other machines wherever there is any flag, which takes a second in each stage.
"""

from apache_beam.options.pipeline_options import StandardOptions

NAME = "FnApiRunner"  # in this process's memory


def install() -> None:
    """Make it the runner, in this process, of pipelines for which no flag names another one."""
    StandardOptions.DEFAULT_RUNNER = NAME
