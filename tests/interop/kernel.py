#!/usr/bin/env python3
"""kernel.py - small parts that the kernel's sockets play in the interop scripts

kernel.py PART ADDRESS PORT [ARGUMENT...]; see the functions at the end.
"""

import hashlib
import select
import socket
import struct
import sys
import threading
import time


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def ready(out=sys.stdout):
    print("ready", file=out, flush=True)


def listen(address, port, out=sys.stdout):
    s = socket.socket(family(address), socket.SOCK_STREAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((address, port))
    s.listen()
    ready(out)
    s.settimeout(20)
    c = s.accept()[0]
    c.settimeout(20)
    return c


def connect(address, port):
    return socket.create_connection((address, port), timeout=20)


def read_to_end(s):
    data = b""
    while True:
        part = s.recv(65536)
        if not part:
            return data
        data += part


def answer_after_end(address, port):
    """Reads to the end, then says how much came, half a second later."""
    s = listen(address, port)
    data = read_to_end(s)
    time.sleep(0.5)
    s.sendall(b"%d bytes, %s\n" % (len(data), hashlib.sha256(data).hexdigest().encode()))
    s.close()


def ask_and_end(address, port, text):
    """Sends text and an end, and prints what comes after that."""
    s = connect(address, port)
    s.sendall(text.encode())
    s.shutdown(socket.SHUT_WR)
    print(read_to_end(s).decode(), end="")


def exchange(s):
    """Sends what comes from stdin and prints the hash of what arrives, both at once."""

    def send():
        while data := sys.stdin.buffer.read(1 << 20):
            s.sendall(data)
        s.shutdown(socket.SHUT_WR)

    sender = threading.Thread(target=send)
    sender.start()
    h = hashlib.sha256()
    while data := s.recv(1 << 20):
        h.update(data)
    sender.join()
    print(h.hexdigest())


def exchange_listening(address, port):
    exchange(listen(address, port, sys.stderr))


def exchange_connecting(address, port):
    exchange(connect(address, port))


def urgent(address, port):
    """Sends urgent data in the middle, and prints what comes and what of it was urgent."""
    s = connect(address, port)
    s.sendall(b"calm")
    s.send(b"HURRY", socket.MSG_OOB)
    s.sendall(b"calm again")
    s.shutdown(socket.SHUT_WR)
    out_of_band = b""
    data = b""
    while True:
        readable, _, urgent_now = select.select([s], [], [s] if not out_of_band else [], 10)
        if urgent_now and not out_of_band:
            out_of_band = s.recv(1, socket.MSG_OOB)
        elif readable:
            part = s.recv(1000)
            if not part:
                break
            data += part
        else:
            sys.exit("nothing comes")
    print(f"= {data.decode()} and out of band {out_of_band.decode()}")


def udp_echo(address, port):
    """Sends every datagram back, until it is killed."""
    s = socket.socket(family(address), socket.SOCK_DGRAM)
    s.bind((address, port))
    ready()
    while True:
        data, sender = s.recvfrom(65536)
        s.sendto(data, sender)


def udp_ask(address, port, longest):
    """Sends datagrams of many lengths and waits for each to come back."""
    s = socket.socket(family(address), socket.SOCK_DGRAM)
    s.settimeout(1)
    s.connect((address, port))
    lengths = [n for n in (0, 1, 100, 1000, 1472, 1473, 3000, 9000, 30000) if n < int(longest)]
    for length in lengths + [int(longest)]:
        data = bytes((i * 7 + length) % 256 for i in range(length))
        for _ in range(5):
            s.send(data)
            try:
                if s.recv(65536) == data:
                    break
            except socket.timeout:
                pass
        else:
            sys.exit(f"{length} bytes have not come back")
    print(f"= {len(lengths) + 1} datagrams came back, up to {longest} bytes")


def checksum(data):
    total = sum(data[i] << 8 | data[i + 1] for i in range(0, len(data), 2))
    total = (total & 0xFFFF) + (total >> 16)
    return ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF


def syn(source, address, source_port, port):
    """An IPv4 packet with a SYN; the kernel fills in IP's checksum."""
    ends = socket.inet_aton(source) + socket.inet_aton(address)
    tcp = struct.pack("!HHIIBBHHH", source_port, port, source_port * 7919, 0, 6 << 4, 2, 65535, 0, 0)
    tcp += b"\x02\x04\x05\xb4"
    tcp = tcp[:16] + struct.pack("!H", checksum(ends + b"\0\6\0\x18" + tcp)) + tcp[18:]
    return struct.pack("!BBHHHBBH", 0x45, 0, 44, 0, 0, 64, 6, 0) + ends + tcp


def flood(address, port, count):
    """Sends so many SYNs from addresses where nobody is."""
    s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    for i in range(int(count)):
        source = f"198.19.{i >> 8 & 255}.{i & 255}"
        s.sendto(syn(source, address, 1024 + i % 60000, port), (address, 0))
        if i % 100 == 99:
            time.sleep(0.002)


if __name__ == "__main__":
    parts = {
        "answer-after-end": answer_after_end,
        "ask-and-end": ask_and_end,
        "exchange-listening": exchange_listening,
        "exchange-connecting": exchange_connecting,
        "urgent": urgent,
        "flood": flood,
        "udp-echo": udp_echo,
        "udp-ask": udp_ask,
    }
    parts[sys.argv[1]](sys.argv[2], int(sys.argv[3]), *sys.argv[4:])
