"""APIServices: what the API says about its own group versions."""
