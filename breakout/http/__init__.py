"""Addresses and proxies, shared by every HTTP client and server."""
