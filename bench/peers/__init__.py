"""Other engines on the same files and the same clock, each a command of its own.

python -m bench.peers.NAME FILE --seconds S --seed N --workers 2 --out PATH
"""
