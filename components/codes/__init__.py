"""What is said of codes, whoever made them: places on a map, ways between two, which units do the work.

NumPy and scikit-learn alone; verbs and reports ask it.
"""
