#!/usr/bin/env python3
"""compare.py - Weir's TCP beside the kernel's, over the same emulated link

Bulk transfers from kernel to kernel, Weir to kernel and kernel to Weir, over `weir link` with a
rate, a delay and losses; what is compared is goodput, from the first SYN on. Then the two share a
bottleneck. Runs in a network namespace of its own: compare.sh sees to that.

    client --- wa [weir link] wb --- router --- veth --- kernel server
                                            --- w0   --- Weir

    compare.py [--full] [--seconds N] [--repeat N] [--markdown FILE] [--captures FOLDER] ...
"""
import argparse
import ctypes
import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import time

WEIR = os.path.join(os.environ["WEIR_BUILD"], "weir")
PORT = 5001
CLIENT, WEIR_AT, SERVER = "198.18.1.1", "198.18.2.2", "198.18.3.2"
CLONE_NEWNET = 0x40000000
PAIRS = [("kernel", "kernel"), ("weir", "kernel"), ("kernel", "weir")]
TCP_INFO_TOTAL_RETRANS = 100  # its offset in struct tcp_info


def run(*words):
    subprocess.run(words, check=True)


def wait_for(condition, what, seconds=10):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise SystemExit(f"it has not come true: {what}")
        time.sleep(0.01)


class Namespace:
    """A network namespace, as long as a process that sleeps in it."""

    def __init__(self):
        self.process = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
        own = os.readlink("/proc/self/ns/net")
        wait_for(lambda: os.readlink(self.path()) != own, "a new network namespace")
        self.run("ip", "link", "set", "lo", "up")

    def path(self):
        return f"/proc/{self.process.pid}/ns/net"

    def run(self, *words):
        run("nsenter", f"--net={self.path()}", *words)

    def call(self, function, *arguments):
        """Starts function in the namespace, in a process of its own: a pipe with its result."""
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                os.close(reading)
                fd = os.open(self.path(), os.O_RDONLY)
                if ctypes.CDLL(None, use_errno=True).setns(fd, CLONE_NEWNET) != 0:
                    raise OSError(ctypes.get_errno(), "setns")
                os.write(writing, json.dumps(function(*arguments)).encode())
                code = 0
            finally:
                os._exit(code)
        os.close(writing)
        return pid, reading


def result_of(call):
    pid, reading = call
    with os.fdopen(reading, "rb") as pipe:
        text = pipe.read()
    _, status = os.waitpid(pid, 0)
    if status != 0 or not text:
        raise SystemExit("a transfer has failed")
    return json.loads(text)


# ---- the kernel's ends ----

def use_cubic(s):
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b"cubic")


def count_until(receive, end):
    """Bytes received until end (of time.monotonic): how many."""
    got = 0
    while time.monotonic() < end:
        data = receive()
        if not data:
            break
        got += len(data)
    return got


def connect(address):
    """Somebody may only just begin to listen."""
    end = time.monotonic() + 5
    while True:
        s = socket.socket()
        use_cubic(s)
        s.settimeout(10)
        try:
            s.connect((address, PORT))
            return s
        except ConnectionRefusedError:
            s.close()
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def kernel_receives(address, seconds):
    begin = time.monotonic()
    s = connect(address)
    return {"bytes": count_until(lambda: s.recv(1 << 18), begin + seconds),
            "seconds": time.monotonic() - begin}


def send_until(s, end):
    s.settimeout(0.2)
    data = bytes(1 << 16)
    while time.monotonic() < end:
        try:
            s.send(data)
        except TimeoutError:
            pass
        except (ConnectionResetError, BrokenPipeError):
            break
    info = s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
    return {"retransmits": struct.unpack_from("=I", info, TCP_INFO_TOTAL_RETRANS)[0]}


def kernel_sends_to(address, seconds):
    begin = time.monotonic()
    return send_until(connect(address), begin + seconds)


def kernel_serves(seconds):
    """Sends to whoever connects."""
    listener = socket.create_server(("0.0.0.0", PORT))
    use_cubic(listener)
    s, _ = listener.accept()
    listener.close()
    return send_until(s, time.monotonic() + seconds)


# ---- Weir's end ----

class Weir:
    """weir listen: sends zeros to whoever connects, or counts what comes."""

    def __init__(self, sends, capture=None):
        words = [WEIR, "listen", str(PORT), "--tun", "w0", "--stats",
                 "--address", WEIR_AT + "/24", "--peer", "198.18.2.1/24"]
        if capture:
            words += ["--pcap", capture + ".pcapng", "--record", capture + ".weirlog"]
        with open("/dev/zero" if sends else "/dev/null", "rb") as source:
            self.process = subprocess.Popen(words, stdin=source, stderr=subprocess.PIPE,
                                            stdout=subprocess.DEVNULL if sends
                                            else subprocess.PIPE)
        os.set_blocking(self.process.stderr.fileno(), False)
        self.said = b""
        wait_for(self.is_ready, "weir listens")

    def is_ready(self):
        self.said += self.process.stderr.read() or b""
        if self.process.poll() is not None:
            raise SystemExit("weir has ended: " + self.said.decode())
        return b"listening" in self.said

    def receives(self, seconds):
        """The sender begins to connect as this begins to wait."""
        begin = time.monotonic()
        fd = self.process.stdout.fileno()
        return {"bytes": count_until(lambda: os.read(fd, 1 << 18), begin + seconds),
                "seconds": time.monotonic() - begin}

    def end(self):
        """How many segments it has sent again."""
        self.process.send_signal(signal.SIGTERM)
        os.set_blocking(self.process.stderr.fileno(), True)
        said = self.said + self.process.communicate(timeout=10)[1]
        found = re.search(rb"(\d+) tcp_retransmits", said)
        wait_for(lambda: not os.path.exists("/sys/class/net/w0")
                 or subprocess.run(["ip", "link", "show", "w0"], capture_output=True,
                                   check=False).returncode != 0, "w0 has gone")
        return int(found.group(1)) if found else 0


# ---- the link ----

class Link:
    def __init__(self, world, options, rate_mbit, rtt_ms, loss_percent, to_client, seed=1):
        bdp = rate_mbit * 1e6 / 8 * rtt_ms / 1e3
        words = [WEIR, "link", "--json", "--seed", str(seed), "--a", "wa", "--b", "wb",
                 "--a-netns", world.client.path(), "--a-address", CLIENT + "/24",
                 "--b-address", "198.18.1.2/24", "--delay", f"{rtt_ms / 2}ms",
                 "--rate", f"{rate_mbit}mbit", "--limit", str(int(max(bdp, 150000)))]
        if loss_percent:
            words.append("--ba" if to_client else "--ab")
            words += (["--loss-every", str(round(100 / loss_percent))] if options.periodic
                      else ["--loss", f"{loss_percent}%"])
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE)
        wait_for(lambda: "UP" in subprocess.run(
            ["ip", "link", "show", "wb"], capture_output=True, text=True,
            check=False).stdout.split("mtu")[0], "wb is up")
        time.sleep(0.2)
        world.client.run("ip", "route", "replace", "default", "dev", "wa")

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        out = self.process.communicate(timeout=10)[0].decode()
        return [json.loads(line) for line in out.splitlines()]


class World:
    def __init__(self):
        self.client, self.server = Namespace(), Namespace()
        run("ip", "link", "add", "v0", "type", "veth", "peer", "name", "v1")
        run("ip", "link", "set", "v1", "netns", str(self.server.process.pid))
        run("ip", "address", "add", "198.18.3.1/24", "dev", "v0")
        run("ip", "link", "set", "v0", "up")
        self.server.run("ip", "address", "add", SERVER + "/24", "dev", "v1")
        self.server.run("ip", "link", "set", "v1", "up")
        self.server.run("ip", "route", "add", "default", "via", "198.18.3.1")
        with open("/proc/sys/net/ipv4/ip_forward", "w", encoding="ascii") as file:
            file.write("1")

    def transfer(self, pair, seconds, capture=None):
        """One transfer over a link that is there: bytes, seconds, retransmits."""
        if pair == ("kernel", "kernel"):
            sender = self.server.call(kernel_serves, seconds + 1)
            receiver = self.client.call(kernel_receives, SERVER, seconds)
            result = result_of(receiver)
            result.update(result_of(sender))
        elif pair == ("weir", "kernel"):
            weir = Weir(True, capture)
            result = result_of(self.client.call(kernel_receives, WEIR_AT, seconds))
            result["retransmits"] = weir.end()
        else:
            weir = Weir(False, capture)
            sender = self.client.call(kernel_sends_to, WEIR_AT, seconds + 1)
            result = weir.receives(seconds)
            weir.end()
            result.update(result_of(sender))
        return result

    def once(self, options, rtt_ms, loss_percent, pair, seed):
        link = Link(self, options, options.rate, rtt_ms, loss_percent, pair[1] == "kernel", seed)
        capture = None
        if options.captures and "weir" in pair:
            capture = os.path.join(options.captures,
                                   f"{pair[0]}-{pair[1]}-{rtt_ms}ms-{loss_percent}-{seed}")
        result = self.transfer(pair, options.seconds, capture)
        link.end()
        result["mbit"] = result["bytes"] * 8e-6 / result["seconds"]
        return result

    def cell(self, options, rtt_ms, loss_percent):
        """Of each pair, the mean of several times; chance treats all pairs alike, time and again."""
        sums = [{"mbit": 0, "retransmits": 0} for _ in PAIRS]
        for seed in range(1, options.repeat + 1):
            for result, pair in zip(sums, PAIRS):
                once = self.once(options, rtt_ms, loss_percent, pair, seed)
                for key in result:
                    result[key] += once[key] / options.repeat
        return sums

    def share(self, options, rtt_ms, seconds):
        """Weir and the kernel send to the same client at the same time: Mbit/s of both."""
        link = Link(self, options, options.rate / 2, rtt_ms, 0, True)
        weir = Weir(True)
        sender = self.server.call(kernel_serves, seconds + 1)
        receivers = [self.client.call(kernel_receives, address, seconds)
                     for address in (WEIR_AT, SERVER)]
        results = [result_of(r) for r in receivers]
        weir.end()
        result_of(sender)
        link.end()
        return [r["bytes"] * 8e-6 / r["seconds"] for r in results]


def jain(shares):
    return sum(shares) ** 2 / (len(shares) * sum(x * x for x in shares))


def print_table(options, cells, shares):
    lines = [f"Goodput in Mbit/s over {options.seconds:g} s and a bottleneck of {options.rate} "
             f"Mbit/s, sender to receiver, the mean of {options.repeat}; in brackets, "
             "retransmissions.", "",
             "| RTT | loss | kernel to kernel | Weir to kernel | kernel to Weir | Weir's share |",
             "| --- | --- | --- | --- | --- | --- |"]
    for (rtt_ms, loss), results in cells.items():
        goodputs = [f"{r['mbit']:.1f} ({r['retransmits']:.0f})" for r in results]
        least = min(results[1]["mbit"], results[2]["mbit"]) / results[0]["mbit"]
        lines.append(f"| {rtt_ms} ms | {loss} % | " + " | ".join(goodputs)
                     + f" | {100 * least:.0f} % |")
    for rtt_ms, seconds, both in shares:
        lines += ["", f"Sharing {options.rate / 2:g} Mbit/s at {rtt_ms} ms for {seconds:g} s: Weir "
                  f"{both[0]:.1f}, kernel {both[1]:.1f} Mbit/s; Jain's index {jain(both):.3f}."]
    text = "\n".join(lines) + "\n"
    print(text)
    if options.markdown:
        with open(options.markdown, "w", encoding="utf-8") as file:
            file.write(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--full", action="store_true", help="all cells, and sharing for a minute")
    parser.add_argument("--seconds", type=float, default=None)
    parser.add_argument("--repeat", type=int, default=1, help="each cell so often")
    parser.add_argument("--periodic", action="store_true",
                        help="every Nth packet is lost, which leaves less to chance")
    parser.add_argument("--rate", type=int, default=100)
    parser.add_argument("--rtts", default=None, help="in ms: 1,20,100")
    parser.add_argument("--losses", default=None, help="in percent: 0,0.1,1,3")
    parser.add_argument("--share", type=float, default=None, help="seconds; 0: not")
    parser.add_argument("--markdown")
    parser.add_argument("--captures")
    options = parser.parse_args()
    rtts = options.rtts or ("1,20,100" if options.full else "20")
    losses = options.losses or ("0,0.1,1,3" if options.full else "1")
    options.seconds = options.seconds or (8 if options.full else 2)
    share = options.share if options.share is not None else 60 if options.full else 0
    world, cells, shares = World(), {}, []
    for rtt_ms in (float(x) for x in rtts.split(",")):
        for loss in (float(x) for x in losses.split(",")):
            rtt = int(rtt_ms) if rtt_ms == int(rtt_ms) else rtt_ms
            cells[rtt, loss] = world.cell(options, rtt, loss)
            print(rtt, loss, *(f"{r['mbit']:.1f}" for r in cells[rtt, loss]), file=sys.stderr,
                  flush=True)
    if share:
        shares.append((20, share, world.share(options, 20, share)))
    print_table(options, cells, shares)
    # The tool's own test: each transfer has moved something.
    return 0 if all(r["mbit"] > 0.1 for c in cells.values() for r in c) else 1


if __name__ == "__main__":
    sys.exit(main())
