"""The library's edition: a mark that changes with whatever public pages show, and the pages kept under it."""
