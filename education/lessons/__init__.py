"""What readers learn: lessons in their reading order."""
