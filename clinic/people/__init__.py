"""Who works here, and who may read in an emergency: the owner's pages and what they write."""
