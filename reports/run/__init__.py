"""The page of a run, of plain data: what a section is made of, and the frame around all of them."""
