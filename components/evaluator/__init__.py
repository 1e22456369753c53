"""Whether a model is good enough: figures of the test split by TFMA, intervals, comparisons, and the blessing.

component.py takes what TFX hands over, eval_config.py makes TFMA's config; each other file is a figure or what compares one. May be
touched: any of these; Evaluator alone runs again. What a task is judged by stands with its judge (components/tasks/judges).
"""
