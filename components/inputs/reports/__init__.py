"""How an example of a kind of input is seen on a page: a file for each kind of components.inputs that can be."""
