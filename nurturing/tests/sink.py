"""A real SMTP server that keeps what it got, and misbehaves where the address asks for it.

By the recipient's name: `r451-…` refuses at RCPT with 451, `r550-…` says 550 5.1.1, `d554-…` refuses
after DATA, `busy-…` says 450 the first time, `cut-…` takes the mail and drops the connection without
an answer, `early-…` drops it at RCPT, `slow-…` answers after a second.
As a program it writes one line per accepted mail (touch id, recipient): python -m nurturing.tests.sink PORT FILE
Each number that it reads is how many mails it accepts from then on, before it lets the next one wait.
"""

import asyncio
import email
import math
import os
import sys
import threading

from aiosmtpd.smtp import SMTP


class Sink:
    def __init__(self, path=None, delay=0.0):
        self.mails, self.seen, self.delay, self.over_tls = [], set(), delay, []
        self.accepts = math.inf
        self.file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND) if path else None

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        kind = address.partition("-")[0]
        if kind == "r451":
            return "451 4.7.1 Greylisted, try again later"
        if kind == "r550":
            return "550 5.1.1 No such mailbox"
        if kind == "busy" and address not in self.seen:
            self.seen.add(address)
            return "450 4.2.0 Busy"
        if kind == "early":
            server.transport.abort()
            return "250 OK"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        address = envelope.rcpt_tos[0]
        kind = address.partition("-")[0]
        if kind == "d554":
            return "554 5.7.1 Not wanted here"
        if kind == "slow":
            await asyncio.sleep(1)
        if self.delay:
            await asyncio.sleep(self.delay)
        while self.accepts <= 0:
            await asyncio.sleep(0.01)
        self.accepts -= 1
        self.keep(envelope, address)
        self.over_tls.append(
            session.ssl is not None or server.transport.get_extra_info("sslcontext") is not None
        )
        if kind == "cut":
            server.transport.abort()
        return "250 2.0.0 Taken"

    def keep(self, envelope, address):
        if self.file is None:
            self.mails.append(email.message_from_bytes(envelope.content))
            return
        head = envelope.content.partition(b"\r\n\r\n")[0]
        touch = next(
            line.split(b":")[1].strip() for line in head.splitlines() if line.startswith(b"X-Touch-ID:")
        )
        os.write(self.file, touch + b" " + address.encode() + b"\n")

    @property
    def touches(self):
        return [int(mail["X-Touch-ID"]) for mail in self.mails]


class Server(threading.Thread):
    """A Sink on a free port of 127.0.0.1, in a thread of this process; `options` as those of `listen`."""

    def __init__(self, sink, **options):
        super().__init__(name="sink", daemon=True)
        self.options = options
        self.sink, self.loop, self.ready = sink, asyncio.new_event_loop(), threading.Event()

    def run(self):
        server = self.loop.run_until_complete(listen(self.loop, self.sink, 0, **self.options))
        self.port = server.sockets[0].getsockname()[1]
        self.ready.set()
        self.loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.loop.run_until_complete(asyncio.sleep(0))
        self.loop.close()

    def stop(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.join(5)


def start():
    """→ (server, sink); call `server.stop()` in the end."""
    sink = Sink()
    server = Server(sink)
    server.start()
    assert server.ready.wait(60)
    return server, sink


def listen(loop, sink, port, *, ssl=None, **options):
    """`ssl`: the context of TLS from the first byte; `options` of aiosmtpd's SMTP."""
    return loop.create_server(
        lambda: SMTP(sink, hostname="sink.test", ident="sink", loop=loop, **options),
        "127.0.0.1",
        port,
        ssl=ssl,
    )


async def serve(port, path, delay):
    loop, sink = asyncio.get_running_loop(), Sink(path, delay)
    server = await listen(loop, sink, port)
    loop.add_reader(sys.stdin, lambda: setattr(sink, "accepts", float(sys.stdin.readline() or "inf")))
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), sys.argv[2], float(sys.argv[3]) if len(sys.argv) > 3 else 0.0))
