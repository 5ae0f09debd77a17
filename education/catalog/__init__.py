"""The content this release ships (`*.json`) and how it gets into the tables, sparing an editor's work."""
