"""What every capability shares: resources as models, definitions made from them, admission, status."""
