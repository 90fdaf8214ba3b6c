"""The platform as a process: it installs definitions and rights, runs the controllers, serves admission and the web."""
