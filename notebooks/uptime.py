"""Whether the machines were up when they should have been: a calendar, the spells of instances, by any grouping.

`mithril-elt notebook uptime`, or `marimo run notebooks/uptime.py -- --db mithril.duckdb`. Reads marts only.
"""

import marimo

app = marimo.App(width="medium", app_title="Mithril: uptime")

with app.setup:
    import math

    import altair as alt
    import marimo as mo
    import pandas as pd

    from mithril_elt.exploring import Controls, Looks, as_table, connected, dressed, facts, quoted


@app.cell
def _():
    mo.md("""
    # Uptime

    Time up over time up and down. Waiting, starting, stopping and paused time is on neither side, and so is time
    in a status that nobody documented. All times are UTC.
    """)
    return


@app.cell
def _():
    mithril = connected()
    return (mithril,)


@app.cell
def _(mithril):
    controls = Controls(mithril)
    days, project, grouping = controls.days(), controls.project(), controls.grouping("uptime", "region")
    mo.hstack([days, project, grouping], justify="start", wrap=True)
    return controls, days, grouping, project


@app.cell
def _(controls, days, grouping, mithril, project):
    chosen = controls.chosen(days, project)
    whole = mithril.uptime(**chosen.options)
    uptime = mithril.uptime(grouping.value, **chosen.options)
    as_table(whole)
    return chosen, uptime, whole


@app.cell
def _(whole):
    facts(whole)
    return


@app.cell
def _(chosen, mithril):
    # Cut to a tenth, never rounded up: 99.99 is not 100.
    by_day = mithril.uptime("day", **chosen.options, exact=False)[["day", "uptime_pct", "down_hours", "interruptions"]]
    calendar_days = by_day.assign(
        week=(by_day["day"] - pd.to_timedelta(by_day["day"].dt.day_of_week, unit="D")).dt.strftime("%Y-%m-%d"),
        weekday=by_day["day"].dt.strftime("%a"),
        date=by_day["day"].dt.strftime("%Y-%m-%d"),
        shown=[
            "–" if pd.isna(pct) else f"{math.floor(pct * 10) / 10:.1f}".removesuffix(".0")
            for pct in by_day["uptime_pct"]
        ],
    ).drop(columns="day")
    return (calendar_days,)


@app.cell
def _(calendar_days):
    _base = alt.Chart(calendar_days).encode(
        x=alt.X("week:O", title="week that begins on (UTC)", axis=alt.Axis(labelAngle=0, labelOverlap=True)),
        y=alt.Y("weekday:O", title=None, sort=["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]),
    )
    _cells = _base.mark_rect(stroke="white", strokeWidth=1).encode(
        color=alt.Color(
            "uptime_pct:Q",
            title="uptime, %",
            scale=alt.Scale(scheme="cividis", domain=[50, 100], clamp=True),
            legend=alt.Legend(direction="horizontal", gradientLength=220, title="uptime, % (50 and less: darkest)"),
        ),
        tooltip=[
            alt.Tooltip("date:N", title="day (UTC)"),
            alt.Tooltip("uptime_pct:Q", title="uptime, %", format=".3f"),
            alt.Tooltip("down_hours:Q", title="hours down", format=",.2f"),
            alt.Tooltip("interruptions:Q", title="interruptions"),
        ],
    )
    _numbers = _base.mark_text(fontSize=11).encode(
        text="shown:N",
        color=alt.when("!isValid(datum.uptime_pct)")
        .then(alt.value(Looks.WORDS))
        .when("datum.uptime_pct > 75")
        .then(alt.value("black"))
        .otherwise(alt.value("white")),
    )
    calendar = dressed(_cells + _numbers, "Uptime by day, %", height=230)
    calendar
    return


@app.cell
def _(grouping):
    mo.md(f"""
    ## By {grouping.value.replace("-", " ")}
    """)
    return


@app.cell
def _(uptime):
    as_table(uptime)
    return


@app.cell
def _(chosen, controls, mithril):
    _reservations = mithril.sql(
        f"""
        select reservation_id, reservation_name from dim_reservations
        where reservation_id in (select reservation_id from dim_instances) and {chosen.where("starts_at", "ends_at")}
        order by placed_at desc, reservation_id
        """
    )
    _named = {f"{name or 'unnamed'} ({identity})": identity for identity, name in _reservations.itertuples(index=False)}
    whose = controls.choice({"the busiest instances": None, **_named}, "Instances of")
    mo.vstack(
        [
            mo.md("""
            ## What each instance did, and when

            At most 20 instances. The more use a machine was, the higher the bar: up, paused, down.
            """),
            whose,
        ]
    )
    return (whose,)


@app.cell
def _(chosen, mithril, whose):
    _of = f"reservation_id = {quoted(whose.value)}" if whose.value else "true"
    spells = mithril.sql(
        f"""
        with busiest as (
            select hours.instance_id, sum(total_us) as total_us
            from fct_instance_hours as hours
            inner join dim_instances as instances on hours.instance_id = instances.instance_id
            where {_of} and {chosen.where(project="hours.project_id")}
            group by hours.instance_id
            order by 2 desc, 1
            limit 20
        )

        select
            coalesce(instance_name, spells.instance_id) as instance,
            spells.instance_id,
            phase,
            status,
            started_at,
            ended_at,
            duration_hours as hours
        from fct_status_spells as spells
        inner join busiest on spells.instance_id = busiest.instance_id
        inner join dim_instances as instances on spells.instance_id = instances.instance_id
        where {chosen.where("started_at", "ended_at", project="spells.project_id")}
        order by started_at desc
        limit 2000
        """,
        exact=False,
    )
    return (spells,)


@app.cell
def _(chosen, spells):
    _height = {"running": 14, "noticed": 14, "paused": 8, "interrupted": 3}
    _begin, _end = chosen.from_at or spells["started_at"].min(), chosen.to_at or spells["ended_at"].max()
    _seen = spells.assign(
        started_at=spells["started_at"].clip(lower=_begin),
        ended_at=spells["ended_at"].clip(upper=_end),
        height=[_height.get(phase, 6) for phase in spells["phase"]],
    )
    timeline = (
        dressed(
            alt.Chart(_seen)
            .mark_bar()
            .encode(
                x=alt.X(
                    "started_at:T",
                    title="time (UTC)",
                    scale=alt.Scale(type="utc"),
                    axis=alt.Axis(format="%b %d, %Y", tickCount=5),
                ),
                x2="ended_at:T",
                y=alt.Y("instance:N", title=None, axis=alt.Axis(labelLimit=170)),
                color=Looks.color(Looks.PHASES, "phase"),
                size=alt.Size("height:Q", legend=None, scale=None),
                tooltip=[
                    alt.Tooltip("instance:N"),
                    alt.Tooltip("status:N"),
                    alt.Tooltip("utcyearmonthdatehoursminutes(started_at):T", title="from (UTC)"),
                    alt.Tooltip("utcyearmonthdatehoursminutes(ended_at):T", title="to (UTC)"),
                    alt.Tooltip("hours:Q", title="hours", format=",.2f"),
                ],
            ),
            "Spells of status" + (", the newest 2,000" if len(spells) == 2000 else ""),
            height=max(80, 22 * spells["instance"].nunique()),
        )
        if len(spells)
        else mo.md("No spell of such an instance in this time.")
    )
    timeline
    return


if __name__ == "__main__":
    app.run()
