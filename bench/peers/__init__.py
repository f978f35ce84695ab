"""The same observations through other tools: each file a program as a user of it would write it.

They run in an environment of their own (`requirements.txt`), since their packages and ours cannot
be installed together, and read where to work from `bench.peers.place`.
"""
