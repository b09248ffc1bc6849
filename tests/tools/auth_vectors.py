#!/usr/bin/env python3
"""auth_vectors.py - signed TCP segments, made without Weir, for tests/unit/crypto

auth_vectors.py >tests/unit/crypto/made_vectors.inc writes them again. Everything here follows RFC 2385,
5925 and 5926 anew, over python3-cryptography.
"""

import hashlib
import ipaddress
import random
import struct

from cryptography.hazmat.primitives import cmac, hashes, hmac
from cryptography.hazmat.primitives.ciphers import algorithms


def hmac_sha1(key, data):
    h = hmac.HMAC(key, hashes.SHA1())
    h.update(data)
    return h.finalize()


def aes_cmac(key, data):
    c = cmac.CMAC(algorithms.AES(key))
    c.update(data)
    return c.finalize()


def traffic_key(algorithm, master, source, target, isns):
    """source, target: (address, port)"""
    context = source[0].packed + target[0].packed
    context += struct.pack("!HHII", source[1], target[1], *isns)
    if algorithm == "SHA1":
        return hmac_sha1(master, b"\x01TCP-AO" + context + struct.pack("!H", 160))
    if len(master) != 16:
        master = aes_cmac(bytes(16), master)
    return aes_cmac(master, b"\x01TCP-AO" + context + struct.pack("!H", 128))


def pseudo(source, target, length):
    if source[0].version == 4:
        return source[0].packed + target[0].packed + struct.pack("!BBH", 0, 6, length)
    return source[0].packed + target[0].packed + struct.pack("!IHBB", length, 0, 0, 6)


def signed(row):
    """The segment's bytes from TCP's header on, with a digest."""
    source, target = row["source"], row["target"]
    if row["algorithm"] == "MD5":
        option = b"\x01\x01\x13\x12" + bytes(16)
    else:
        option = struct.pack("!BBBB", 29, 16, *row["ids"]) + bytes(12)
    options = option + row["options"]
    offset = (20 + len(options)) // 4
    header = struct.pack(
        "!HHIIBBHHH", source[1], target[1], row["seq"] & 0xFFFFFFFF, row["ack"], offset << 4,
        row["flags"], row["window"], 0, 0)
    before = pseudo(source, target, len(header + options) + len(row["text"]))
    if row["algorithm"] == "MD5":
        digest = hashlib.md5(before + header + row["text"] + row["master"]).digest()
        options = option[:4] + digest + row["options"]
        return header + options + row["text"]
    isns = row["isns"] if row["flags"] != 2 else (row["isns"][0], 0)
    key = traffic_key(row["algorithm"], row["master"], source, target, isns)
    covered = option if row["bare"] else options
    # A SYN has the extension 0; numbers count from the initial one, which may wrap at once.
    extension = struct.pack("!I", row["seq"] >> 32)
    message = extension + before + header + covered + row["text"]
    mac = (hmac_sha1 if row["algorithm"] == "SHA1" else aes_cmac)(key, message)[:12]
    return header + option[:4] + mac + row["options"] + row["text"]


def rows():
    r = random.Random(5925)
    for algorithm in "MD5", "SHA1", "CMAC":
        for version in 4, 6:
            for flags in 0x02, 0x12, 0x10, 0x18, 0x18, 0x14:
                size = 4 if version == 4 else 16
                ends = [ipaddress.ip_address(bytes([1 + r.randrange(99)]) + r.randbytes(size - 1))
                        for _ in range(2)]
                is_syn = flags & 2
                isns = (r.randrange(1 << 32), r.randrange(1 << 32))
                seq = isns[0] + (0 if is_syn else 1 + r.randrange(1 << 31))
                options = b"\x02\x04\x05\xb4" if is_syn else b"\x01\x01\x08\x0a" + r.randbytes(8)
                yield {
                    "algorithm": algorithm,
                    "source": (ends[0], r.randrange(1, 65536)),
                    "target": (ends[1], r.randrange(1, 65536)),
                    "isns": isns,
                    "seq": seq,
                    "ack": 0 if flags == 2 else (isns[1] + 1) & 0xFFFFFFFF,
                    "flags": flags,
                    "window": r.randrange(65536),
                    "ids": (r.randrange(256), r.randrange(256)),
                    "bare": r.random() < 0.4,
                    "master": r.randbytes(r.choice([1, 10, 16, 40, 80])),
                    "options": options,
                    "text": r.randbytes(r.choice([1, 100, 700])) if flags == 0x18 else b"",
                }


def text(data):
    return f'"{data.hex()}"'


def main():
    print("/* Made by tests/tools/auth_vectors.py: signed segments, from TCP's header on. */")
    for row in rows():
        name = {"MD5": "MD5", "SHA1": "AO_SHA1", "CMAC": "AO_CMAC"}[row["algorithm"]]
        print(f"{{WEIR_AUTH_{name}, {str(row['bare']).lower()}, \"{row['source'][0]}\",")
        print(f" \"{row['target'][0]}\", {row['isns'][0]:#x}, {row['isns'][1]:#x},")
        print(f" {text(row['master'])},")
        print(f" {text(signed(row))}}},")


if __name__ == "__main__":
    main()
