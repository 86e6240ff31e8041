"""The command `sandbox`: a made-up account over HTTP, in the foreground, to try everything else on.

Stands before the flow, in the place of the real API.
"""

from __future__ import annotations

import click

from mithril_elt.cli.saying import say, say_text
from mithril_elt.sandbox.readings import offered, parse_readings

__all__ = ["sandbox_command"]


_READINGS = "\b\nReadings, the first value of each is the usual one:\n" + "\n".join(
    f"  {name}={values}" for name, values in offered().items()
)


@click.command("sandbox", epilog=_READINGS)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8642,
    show_default=True,
    metavar="N",
    help="Where to serve on this machine; 0 takes a free port.",
)
@click.option("--seed", type=int, default=7, show_default=True, metavar="N", help="Another seed, another account.")
@click.option("--instances", type=int, default=40, show_default=True, metavar="N", help="How many instances it has.")
@click.option("--days", type=int, default=30, show_default=True, metavar="N", help="How far its history goes back.")
@click.option("--latency-ms", type=click.IntRange(0), default=0, metavar="N", help="Delay each answer by so much.")
@click.option(
    "--rate-limit",
    type=click.FloatRange(0, min_open=True),
    metavar="N",
    help="Answer 429 to what is more than so many requests a second.",
)
@click.option(
    "--faults",
    type=click.FloatRange(0, 1),
    default=0,
    metavar="P",
    help="Let that share of requests fail: 0.05 is one in twenty.",
)
@click.option(
    "--reading",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    help="Read what the API's description leaves open in this way; may be given more than once (see below).",
)
def sandbox_command(
    *,
    port: int,
    seed: int,
    instances: int,
    days: int,
    latency_ms: int,
    rate_limit: float | None,  # exact-ok: a pace, neither money nor a stored time
    faults: float,  # exact-ok: a share of requests
    settings: tuple[str, ...],
) -> None:
    """Serve a made-up account over HTTP until it is stopped with Ctrl-C. Its clock runs.

    \b
    Example:
      mithril-elt sandbox --port 8642 --instances 200 --days 60
    """
    from mithril_elt.sandbox.app import KEY  # noqa: PLC0415  # kept out of --help
    from mithril_elt.sandbox.clock import Clock, utc  # noqa: PLC0415  # as above
    from mithril_elt.sandbox.fleet import make_account  # noqa: PLC0415  # as above
    from mithril_elt.sandbox.server import listen, run_forever  # noqa: PLC0415  # as above

    readings = parse_readings(settings)

    # First of all the port: whoever cannot have it need not wait for the account.
    with listen(port) as listener:
        account = make_account(seed, instances, days)
        run_forever(
            account,
            listener,
            clock=Clock(utc(account.now_us), speed=1),
            on_ready=lambda url: _say_where(url, KEY, instances, days),
            latency_ms=latency_ms,
            rate_limit=rate_limit,
            faults=faults,
            readings=readings,
        )
    say("The sandbox has ended.", err=True)


def _say_where(url: str, key: str, instances: int, days: int) -> None:
    say_text(
        f"""A made-up account of {instances} instances and {days} days is served at {url}
Its key is {key}. Ctrl-C ends it. In another window:

  export MITHRIL_API_URL={url}
  export MITHRIL_API_KEY={key}
  mithril-elt run
"""
    )
