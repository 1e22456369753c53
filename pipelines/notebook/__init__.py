"""What a notebook does with models: the functions of the command line, with values in the place of printed lines."""
