"""What the machines were used for: hours by phase and day, where the GPU-hours went, by any grouping.

`mithril-elt notebook usage`, or `marimo run notebooks/usage.py -- --db mithril.duckdb`. Reads marts only.
"""

import marimo

app = marimo.App(width="medium", app_title="Mithril: usage")

with app.setup:
    import altair as alt
    import marimo as mo

    from mithril_elt.exploring import Controls, Looks, as_table, connected, dressed, facts


@app.cell
def _():
    mo.md("""
    # Usage

    How long machines ran, waited, were paused or interrupted, and who used the GPU-hours. A GPU-hour is an hour up
    for each GPU of the machine. All times are UTC.
    """)
    return


@app.cell
def _():
    mithril = connected()
    return (mithril,)


@app.cell
def _(mithril):
    controls = Controls(mithril)
    days, project, grouping = controls.days(), controls.project(), controls.grouping("usage", "user")
    mo.hstack([days, project, grouping], justify="start", wrap=True)
    return controls, days, grouping, project


@app.cell
def _(controls, days, grouping, mithril, project):
    chosen = controls.chosen(days, project)
    whole = mithril.usage(**chosen.options)
    usage = mithril.usage(grouping.value, **chosen.options)
    as_table(whole)
    return chosen, usage, whole


@app.cell
def _(whole):
    facts(whole)
    return


@app.cell
def _(chosen, mithril):
    by_phase = (
        mithril.usage("day", **chosen.options, exact=False)
        .melt(
            id_vars="day", value_vars=[f"{phase}_hours" for phase in Looks.PHASES], var_name="phase", value_name="hours"
        )
        .assign(phase=lambda found: found["phase"].str.removesuffix("_hours"))
        .query("hours > 0")
    )
    return (by_phase,)


@app.cell
def _(by_phase, controls):
    by_day = dressed(
        alt.Chart(by_phase)
        .mark_bar(stroke="white", strokeWidth=0.5)
        .encode(
            x=alt.X("yearmonthdate(day):T", title=controls.day),
            y=alt.Y("hours:Q", title="instance-hours a day"),
            color=Looks.color(Looks.PHASES, "phase"),
            order=alt.Order("place:Q"),
            tooltip=[
                alt.Tooltip("day:T"),
                alt.Tooltip("phase:N"),
                alt.Tooltip("hours:Q", title="instance-hours", format=",.2f"),
            ],
        )
        .transform_calculate(place=f"indexof({list(Looks.PHASES)}, datum.phase)"),
        "What machines did, by day",
    )
    by_day
    return


@app.cell
def _(grouping, usage):
    # What the bars show is rounded; the table below has the figures.
    _most = 20
    _names = usage.attrs["names"].get(usage.columns[0], {})
    largest = (
        usage.assign(
            who=[
                _names.get(each) or each or "(unknown)"
                for each in usage.iloc[:, 0].astype(object).where(usage.iloc[:, 0].notna(), None)
            ],
            gpu=[None if hours is None else round(float(hours), 2) for hours in usage["gpu_hours"]],
        )[["who", "gpu"]]
        .dropna()
        .nlargest(_most, "gpu")
        .query("gpu > 0")
    )
    where_to = dressed(
        alt.Chart(largest)
        .encode(
            y=alt.Y("who:N", sort=None, title=None, axis=alt.Axis(labelLimit=170)),
            x=alt.X("gpu:Q", title="GPU-hours up", axis=alt.Axis(tickCount=5)),
            tooltip=[
                alt.Tooltip("who:N", title=grouping.value),
                alt.Tooltip("gpu:Q", title="GPU-hours", format=",.2f"),
            ],
        )
        .mark_bar(color=Looks.MAIN),
        f"Where the GPU-hours went: by {grouping.value.replace('-', ' ')}"
        + (f", the {_most} largest" if len(usage) > _most else ""),
        height=max(60, 24 * len(largest)),
    )
    where_to
    return


@app.cell
def _(grouping):
    mo.md(f"""
    ## By {grouping.value.replace("-", " ")}

    The rows add up to the figures above, to the last digit.
    """)
    return


@app.cell
def _(usage):
    as_table(usage)
    return


if __name__ == "__main__":
    app.run()
