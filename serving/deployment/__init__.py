"""Files with which TensorFlow Serving serves a pushed model elsewhere: for Docker Compose, for Kubernetes, for KServe.

May be touched: targets/, a file a target: whatever defines `files` and `commands` there is one, and is found by its name.
model.py says what is known of the model at hand, options.py what a person may choose, names.py what objects are called, sizes.py
what they ask of a machine, server.py how TF Serving is told, pods.py what a container of it is in a cluster, monitoring.py who
watches it, asking.py what a person types, writing.py how the files appear, render.py all of it in order.
"""
