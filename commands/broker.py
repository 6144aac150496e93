"""`liftwatch broker`: the broker written in Python (amqtt), on loopback, MQTT 3.1.1 only."""

from __future__ import annotations

import argparse
import asyncio
import signal

from amqtt.broker import Broker

from commands import arguments
from commands.child_process import LOOPBACK, refuse_taken_port
from configuration import Configuration

EXPECTED_ERRORS: tuple[type[Exception], ...] = ()


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--port", type=arguments.port, default=1883, help="on loopback (default 1883)")


def run(options: argparse.Namespace, _: Configuration) -> int:
    """Run the broker until a signal."""
    refuse_taken_port("the broker", options.port, "--port")
    asyncio.run(serve(options.port))
    return 0


async def serve(port: int) -> None:
    """Serve MQTT on a loopback port until SIGINT or SIGTERM."""
    broker = Broker(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"{LOOPBACK}:{port}", "max_connections": 1000}},
            "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
        }
    )
    await broker.start()
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    await ended.wait()
    await broker.shutdown()
