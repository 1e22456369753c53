"""Vega, Vega-Lite and Vega-Embed as one module without requests, safe inside a page: vega.min.js, as vl-convert bundles them.

That takes two seconds, which no run need wait for, so the file is kept. After an upgrade of vl-convert:

    .venv/bin/python -m reports.vega
"""

from configs import atomic
from reports.charts import VEGA

HEAD = (
    "/* Vega, Vega-Lite and Vega-Embed, bundled by vl-convert {version}. BSD 3-Clause License, Copyright (c) University of "
    "Washington, Interactive Data Lab, and the Vega project's contributors: https://vega.github.io */\n"
)


def bundled() -> str:
    """What the file holds, made anew by the vl-convert that is installed."""
    import vl_convert

    return HEAD.format(version=vl_convert.__version__) + vl_convert.javascript_bundle().replace("</script", "<\\/script")


if __name__ == "__main__":
    atomic.write_text(VEGA, bundled())
