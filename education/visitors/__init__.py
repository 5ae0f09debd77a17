"""Who asks too often: a visitor's address, and how many times in a while."""
