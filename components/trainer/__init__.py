"""What is learned, and what is served of it: data.py opens the splits, the task fits, resume.py goes on, export.py writes.

component.py takes what TFX hands over. May be touched: anything, and every model is trained anew. Cards of models that were
pushed long ago are read too: keys of `card.py` may come, none may go.
"""
