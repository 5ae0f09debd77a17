"""The clinic's public facts, the lowest room of the library: every page may use them."""
