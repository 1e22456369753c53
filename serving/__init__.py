"""What answers: reads served folders, not hubel's code."""
