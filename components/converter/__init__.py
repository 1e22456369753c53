"""What is blessed is converted for where TensorFlow is not: LiteRT and ONNX files, each run and judged before it is shipped.

network.py is what is converted, convert.py converts it, litert.py and onnx_runtime.py run what came out, each in a process of its
own; verdict.py judges the answers. May be touched: a further form is a name in the schema (configs/schema/variants.py) and a way in
convert.py; one that another runtime reads has a file of its own, and an ending in forms.py.
"""
