"""The Container Runtime Interface as Skerry speaks it: the wire messages (`cri_pb2`) and a typed client (`client`)."""
