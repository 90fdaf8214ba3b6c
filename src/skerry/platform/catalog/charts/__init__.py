"""What a chart is: archives read within bounds, directories packed."""
