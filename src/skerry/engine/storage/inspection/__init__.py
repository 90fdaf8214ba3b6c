"""What drivers have beside what PersistentVolumes speak of, in StoragePools; what is orphaned goes when asked."""
