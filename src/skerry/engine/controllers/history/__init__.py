"""ControllerRevisions: what a StatefulSet or DaemonSet looked like before. One place for both."""
