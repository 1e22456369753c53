"""What a person looks at, made of plain data: knows nothing of components and the pipeline."""
