"""What the trail says to the owner, and what the roof adds to it."""
