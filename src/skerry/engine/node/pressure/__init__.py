"""What happens when memory, disk or process ids run out: conditions, refused pods, evicted pods, removed images."""
