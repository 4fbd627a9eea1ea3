"""Stands where systemd stands: binds the socket named on the command line and prints each message as one JSON line."""

import json
import socket
import sys

receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.bind(sys.argv[1])
print(json.dumps("listening"), flush=True)
while True:
    # A descriptor passed with BARRIER=1 is dropped here, which is what the sender waits for.
    print(json.dumps(receiver.recv(65536).decode()), flush=True)
