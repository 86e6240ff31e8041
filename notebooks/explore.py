"""A guided start: connect, see which marts there are, ask by SQL, draw a chart of your own.

`mithril-elt notebook explore --edit` makes a copy to change; every cell runs anew when one above it changes.
"""

import marimo

app = marimo.App(width="medium", app_title="Mithril: explore")

with app.setup:
    import altair as alt
    import marimo as mo

    from mithril_elt.exploring import Controls, Looks, as_table, connected, dressed, facts, plainly


@app.cell
def _():
    mo.md("""
    # Explore

    Five steps from a database to a chart of your own. This notebook reads **marts**: documented tables of usage, cost,
    uptime and pause credits. It never writes, and holds nothing open between two questions, so that runs go on.

    ## 1. Connect

    By `-- --db FILE`, by the environment (`MITHRIL_DB`), or `mithril.duckdb` here. In your own program:

    ```python
    import mithril_elt

    mithril = mithril_elt.open("mithril.duckdb")
    ```
    """)
    return


@app.cell
def _():
    mithril = connected()
    return (mithril,)


@app.cell
def _(mithril):
    summary = mithril.summary()
    facts(summary)
    return (summary,)


@app.cell
def _(summary):
    as_table(summary)
    return


@app.cell
def _():
    mo.md("""
    ## 2. Which marts are there?

    Each description ends with what one row is. `dim_…` say what something is, `fct_…` what happened.
    """)
    return


@app.cell
def _(mithril):
    marts = mithril.marts()
    as_table(marts)
    return (marts,)


@app.cell
def _(marts, mithril):
    mart = Controls(mithril).choice(
        {each: each for each in sorted(marts["mart"], key=lambda name: name != "fct_cost_daily")}, "Columns of"
    )
    mart
    return (mart,)


@app.cell
def _(mart, mithril):
    as_table(mithril.columns(mart.value), most=100)
    return


@app.cell
def _():
    mo.md("""
    ## 3. The reports, as tables of pandas

    What `mithril-elt report cost --by month` prints, with decimals that are exact to the last digit:
    `mithril.cost("month")`. `exact=False` makes floats of them, which charts and statistics want.
    """)
    return


@app.cell
def _(mithril):
    by_month = mithril.cost("month")
    as_table(by_month)
    return


@app.cell
def _():
    mo.md("""
    ## 4. Ask by SQL

    Change the query: the answer follows. The tables are those above. `_us` columns are whole microseconds and
    `_cent_us` whole cent-microseconds, which add up exactly; `_hours` and `_usd` are the same, divided once.
    """)
    return


@app.cell
def _():
    query = mo.ui.code_editor(
        """
select
    day,
    order_type,
    sum(up_us) / 3600000000.0 as up_hours,
    sum(spot_cost_cent_us + coalesce(allocated_cost_cent_us, 0)) / 360000000000.0 as cost_usd
from fct_instance_hours
inner join dim_instances using (instance_id)
group by day, order_type
order by day, order_type
""".strip(),
        language="sql",
        label="Query",
    )
    query
    return (query,)


@app.cell
def _(mithril, query):
    with plainly():
        answer = mithril.sql(query.value, exact=False)
    answer
    return (answer,)


@app.cell
def _():
    mo.md("""
    ## 5. A chart of your own

    Of the columns of the answer.
    """)
    return


@app.cell
def _(answer):
    _columns = list(answer.columns)
    x = mo.ui.dropdown(_columns, value=_columns[0], label="Across")
    y = mo.ui.dropdown(_columns, value=_columns[-1], label="Up")
    colour = mo.ui.dropdown(["(none)", *_columns], value=_columns[1] if len(_columns) > 2 else "(none)", label="Colour")
    mark = mo.ui.dropdown(["bar", "line", "point"], value="bar", label="As")
    mo.hstack([x, y, colour, mark], justify="start", wrap=True)
    return colour, mark, x, y


@app.cell
def _(answer, colour, mark, x, y):
    _chart = alt.Chart(answer.head(5000)).encode(x=x.value, y=y.value, tooltip=list(answer.columns))
    if colour.value != "(none)":
        _chart = _chart.encode(color=alt.Color(colour.value, scale=alt.Scale(range=list(Looks.PHASES.values()))))
    own = dressed(getattr(_chart, f"mark_{mark.value}")(), f"{y.value} by {x.value}")
    own
    return


if __name__ == "__main__":
    app.run()
