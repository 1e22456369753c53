"""What is blessed twice becomes a version: publish.py makes it appear whole or not at all, and never twice.

May be touched: little. The layout is TF Serving's, and servers look at it while it is written.
"""
