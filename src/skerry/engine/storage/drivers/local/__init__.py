"""`local.storage.skerry.dev`: a file per volume on this machine's disk, whose size is the volume's."""
