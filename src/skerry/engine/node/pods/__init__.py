"""One pod's life: what is observed (`state`), what is decided (`plan`), and who does it (`worker` and its helpers)."""
