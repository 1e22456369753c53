"""From bytes to what a model sees, in one graph that training and serving share: pixels.py is both ends.

May be touched: augmentation (`augment`) and copies, which only training sees. pixels.py decides what every model to come sees;
those that are served have theirs in their graphs.
"""
