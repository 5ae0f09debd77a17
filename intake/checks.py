"""The shipped catalogs, validated as Django system checks."""
