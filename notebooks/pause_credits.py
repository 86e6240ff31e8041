"""What pausing earned: each pause and its length, credit earned, lost and left unclaimed, by any grouping.

`mithril-elt notebook pause_credits`, or `marimo run notebooks/pause_credits.py -- --db mithril.duckdb`. Marts only.
"""

import marimo

app = marimo.App(width="medium", app_title="Mithril: pause credits")

with app.setup:
    import altair as alt
    import marimo as mo
    import pandas as pd

    from mithril_elt.exploring import Controls, Looks, as_table, connected, dressed, facts


@app.cell
def _():
    mo.md("""
    # Pause credits

    A reserved machine that is paused for an hour or more earns credit for all of it. What was too short earned
    nothing; time that was neither up nor paused could have been paused. All times are UTC. An estimate: the API
    tells neither balances nor redemptions.
    """)
    return


@app.cell
def _():
    mithril = connected()
    return (mithril,)


@app.cell
def _(mithril):
    controls = Controls(mithril)
    days, project, grouping = controls.days(), controls.project(), controls.grouping("pause-credits", "reservation")
    mo.hstack([days, project, grouping], justify="start", wrap=True)
    return controls, days, grouping, project


@app.cell
def _(controls, days, grouping, mithril, project):
    chosen = controls.chosen(days, project)
    whole = mithril.pause_credits(**chosen.options)
    credits_of = mithril.pause_credits(grouping.value, **chosen.options)
    as_table(whole)
    return chosen, credits_of, whole


@app.cell
def _(whole):
    facts(whole)
    return


@app.cell
def _(chosen, mithril):
    pauses = mithril.sql(
        f"""
        select
            coalesce(instance_name, pauses.instance_id) as instance,
            pauses.reservation_id,
            started_at,
            ended_at,
            is_open,
            paused_hours,
            pause_credit_usd,
            short_pause_loss_usd,
            case
                when is_credited and pause_credit_usd is null then 'earns, at a rate not known'
                when is_credited then 'earns credit'
                when has_terms then 'too short'
                else 'earns nothing: no terms'
            end as outcome
        from fct_pause_credits as pauses
        left join dim_instances as instances on pauses.instance_id = instances.instance_id
        where {chosen.where("started_at", "ended_at", project="pauses.project_id")} and paused_hours > 0
        order by started_at desc
        limit 2000
        """
    )
    return (pauses,)


@app.cell
def _(pauses):
    _shown = pauses.assign(
        hours=pauses["paused_hours"].astype("float64"), usd=pd.to_numeric(pauses["pause_credit_usd"]).astype("float64")
    )[["instance", "started_at", "hours", "usd", "outcome"]]
    _outcomes = list(Looks.PAUSES)
    _points = (
        alt.Chart(_shown)
        .mark_point(filled=True, size=70, opacity=0.9)
        .encode(
            x=alt.X(
                "started_at:T",
                title="pause began (UTC)",
                scale=alt.Scale(type="utc"),
                axis=alt.Axis(format="%b %d, %Y", tickCount=5),
            ),
            y=alt.Y(
                "hours:Q",
                title="hours paused (logarithmic)",
                scale=alt.Scale(type="log"),
                axis=alt.Axis(values=[0.01, 0.1, 1, 10, 100, 1000, 10000]),
            ),
            color=Looks.color(Looks.PAUSES, "outcome"),
            shape=alt.Shape(
                "outcome:N",
                sort=_outcomes,
                scale=alt.Scale(domain=_outcomes, range=["circle", "triangle-down", "square", "cross"]),
            ),
            tooltip=[
                alt.Tooltip("instance:N"),
                alt.Tooltip("utcyearmonthdatehoursminutes(started_at):T", title="began (UTC)"),
                alt.Tooltip("hours:Q", title="hours paused", format=",.3f"),
                alt.Tooltip("usd:Q", title="credit, USD", format=",.2f"),
                alt.Tooltip("outcome:N"),
            ],
        )
    )
    _hour = alt.Chart(pd.DataFrame({"hours": [1.0]}))
    _line = _hour.mark_rule(color=Looks.WORDS, strokeDash=[6, 4], strokeWidth=1.5).encode(y="hours:Q")
    by_length = (
        dressed(
            _points + _line,
            "Pauses and how long they lasted; from one hour on, the dashed line, they earn"
            + (", the newest 2,000" if len(pauses) == 2000 else ""),
        )
        if len(pauses)
        else mo.md("Nothing was paused in this time.")
    )
    by_length
    return


@app.cell
def _(chosen, controls, mithril):
    _columns = {
        "pause_credit_usd": "earned",
        "short_pause_loss_usd": "lost to short pauses",
        "unclaimed_credit_usd": "left unclaimed",
    }
    by_day = (
        mithril.pause_credits("day", **chosen.options, exact=False)
        .rename(columns=_columns)
        .melt(id_vars="day", value_vars=list(_columns.values()), var_name="what", value_name="usd")
        .query("usd > 0")
    )
    earned = dressed(
        alt.Chart(by_day)
        .mark_bar(stroke="white", strokeWidth=0.5)
        .encode(
            x=alt.X("yearmonthdate(day):T", title=controls.day),
            y=alt.Y("usd:Q", title="USD a day"),
            color=Looks.color(Looks.CREDITS, "what"),
            tooltip=[alt.Tooltip("day:T"), alt.Tooltip("what:N"), alt.Tooltip("usd:Q", title="USD", format=",.2f")],
        ),
        "Credit earned, lost and left unclaimed, by day",
        height=220,
    )
    earned
    return


@app.cell
def _(grouping):
    mo.md(f"""
    ## By {grouping.value.replace("-", " ")}

    The rows add up to the figures above, to the last digit.
    """)
    return


@app.cell
def _(credits_of):
    as_table(credits_of)
    return


@app.cell
def _():
    mo.md("""
    ## Pauses, the newest first

    Each as far as it lies inside the window of its reservation, where alone it can earn.
    """)
    return


@app.cell
def _(pauses):
    as_table(pauses, most=20)
    return


if __name__ == "__main__":
    app.run()
