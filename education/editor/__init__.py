"""What editors see of the library: their forms, warnings before publishing, and the health board."""
