"""What the machines cost: by day and kind of order, by any grouping, and spot prices against the limit of a bid.

`mithril-elt notebook cost`, or `marimo run notebooks/cost.py -- --db mithril.duckdb`. Reads marts only.
"""

import marimo

app = marimo.App(width="medium", app_title="Mithril: cost")

with app.setup:
    import altair as alt
    import marimo as mo

    from mithril_elt.exploring import Controls, Looks, as_table, connected, dressed, facts, quoted


@app.cell
def _():
    mo.md("""
    # Cost

    What spot and reserved machines cost, less what pauses earned. Dollars are estimated from the API's
    histories; this is not an invoice. All times are UTC.
    """)
    return


@app.cell
def _():
    mithril = connected()
    return (mithril,)


@app.cell
def _(mithril):
    controls = Controls(mithril)
    days, project, grouping = controls.days(), controls.project(), controls.grouping("cost", "order")
    mo.hstack([days, project, grouping], justify="start", wrap=True)
    return controls, days, grouping, project


@app.cell
def _(controls, days, grouping, mithril, project):
    chosen = controls.chosen(days, project)
    whole = mithril.cost(**chosen.options)
    costs = mithril.cost(grouping.value, **chosen.options)
    as_table(whole)
    return chosen, costs, whole


@app.cell
def _(whole):
    facts(whole)
    return


@app.cell
def _(chosen, mithril):
    # Kinds of cost by day: each hour of an instance is of its order, each unused hour of a reservation of none.
    by_kind = mithril.sql(
        f"""
        with costs as (
            select
                day,
                case when instances.reservation_id is null or instances.bid_id is not null then 'spot'
                     else 'reserved, used' end as kind,
                spot_cost_cent_us + coalesce(allocated_cost_cent_us, 0) as cent_us
            from fct_instance_hours as hours
            inner join dim_instances as instances on hours.instance_id = instances.instance_id
            where {chosen.where(project="hours.project_id")}
            union all
            select day, 'pause credit', -pause_credit_cent_us from fct_instance_hours where {chosen.where()}
            union all
            select day, 'reserved, unused', allocated_unused_cent_us from fct_reservation_hours
            where {chosen.where()}
        )

        select day, kind, cast(sum(cent_us) / 360000000000.0 as double precision) as usd
        from costs
        group by day, kind
        having sum(cent_us) <> 0
        order by day, kind
        """,
        exact=False,
    )
    net = mithril.cost("day", **chosen.options, exact=False)[["day", "net_cost_usd"]]
    return by_kind, net


@app.cell
def _(by_kind, controls, net):
    _bars = (
        alt.Chart(by_kind)
        .mark_bar(stroke="white", strokeWidth=0.5)
        .encode(
            x=alt.X("yearmonthdate(day):T", title=controls.day),
            y=alt.Y("usd:Q", title="USD a day", stack="zero"),
            color=Looks.color(Looks.ORDERS, "kind"),
            tooltip=[
                alt.Tooltip("day:T", title="day"),
                alt.Tooltip("kind:N", title="kind"),
                alt.Tooltip("usd:Q", title="USD", format=",.2f"),
            ],
        )
    )
    _net = (
        alt.Chart(net)
        .mark_point(shape="diamond", filled=True, size=36, color=Looks.WORDS, opacity=1)
        .encode(
            x=alt.X("yearmonthdate(day):T", bandPosition=0.5),
            y="net_cost_usd:Q",
            tooltip=[alt.Tooltip("day:T"), alt.Tooltip("net_cost_usd:Q", title="net cost, USD", format=",.2f")],
        )
    )
    by_day = dressed(_bars + _net, "Cost by day and kind of order; a diamond is the net cost")
    by_day
    return


@app.cell
def _(grouping):
    mo.md(f"""
    ## By {grouping.value.replace("-", " ")}

    The rows add up to the figures above, to the last digit.
    """)
    return


@app.cell
def _(costs):
    as_table(costs)
    return


@app.cell
def _(chosen, controls, mithril):
    _bids = mithril.sql(
        f"""
        select bid_id, sum(spot_cost_cent_us) as cent_us
        from fct_instance_hours as hours
        inner join dim_instances as instances on hours.instance_id = instances.instance_id
        where bid_id is not null and {chosen.where(project="hours.project_id")}
        group by bid_id
        having sum(priced_us) > 0
        order by 2 desc, 1
        """
    )
    bid = controls.choice({each: each for each in _bids["bid_id"]}, "Bid")
    mo.vstack(
        [
            mo.md("""
            ## What a bid paid, against its limit

            Of each day the price paid on average, and the lowest and the highest of its hours.
            """),
            bid,
        ]
    )
    return (bid,)


@app.cell
def _(bid, chosen, mithril):
    # The price of an hour is what was paid for it over the time that was paid: both are exact integers.
    _limit = "limit_price_usd" if mithril.has("fct_spot_hours") else "cast(null as decimal(38, 12))"
    _hours = "fct_spot_hours" if mithril.has("fct_spot_hours") else "fct_instance_hours"
    prices = mithril.sql(
        f"""
        with hours as (
            select hours.*, {_limit} as limit_usd, spot_cost_cent_us / 100.0 / priced_us as price_usd
            from {_hours} as hours
            inner join dim_instances as instances on hours.instance_id = instances.instance_id
            where
                instances.bid_id = {quoted(bid.value)} and priced_us > 0
                and {chosen.where(project="hours.project_id")}
        )

        select
            day,
            cast(min(price_usd) as double precision) as lowest,
            cast(max(price_usd) as double precision) as highest,
            cast(sum(spot_cost_cent_us) / 100.0 / sum(priced_us) as double precision) as paid,
            cast(sum(priced_us) / 3600000000.0 as double precision) as hours,
            cast(max(limit_usd) as double precision) as limit_usd
        from hours
        group by day
        order by day
        """,
        exact=False,
    )
    return (prices,)


@app.cell
def _(bid, controls, prices):
    _day = alt.X("yearmonthdate(day):T", title=controls.day)
    _base = alt.Chart(prices).encode(x=_day)
    _span = _base.mark_rule(color=Looks.MAIN, opacity=0.5, strokeWidth=3).encode(y="lowest:Q", y2="highest:Q")
    _paid = _base.mark_point(filled=True, color=Looks.MAIN, opacity=1).encode(
        y=alt.Y("paid:Q", title="USD an instance-hour", scale=alt.Scale(zero=True)),
        size=alt.Size(
            "hours:Q",
            title="instance-hours paid on that day",
            scale=alt.Scale(range=[15, 200]),
            legend=alt.Legend(columns=6, tickCount=4),
        ),
        tooltip=[
            alt.Tooltip("day:T"),
            alt.Tooltip("paid:Q", title="paid, USD an instance-hour", format=",.4f"),
            alt.Tooltip("hours:Q", title="instance-hours paid", format=",.2f"),
            alt.Tooltip("limit_usd:Q", title="limit, USD an instance-hour", format=",.4f"),
        ],
    )
    _limit = _base.mark_line(color=Looks.LIMIT, strokeDash=[6, 4], strokeWidth=2, interpolate="step-after").encode(
        y="limit_usd:Q"
    )
    _name = (
        alt.Chart(prices.tail(1))
        .mark_text(color=Looks.LIMIT, align="right", dy=-8, fontSize=12, text="limit of the bid")
        .encode(x=_day, y="limit_usd:Q")
    )
    _known = prices["limit_usd"].notna().any()
    against_limit = (
        dressed(
            _span + _paid + _limit + _name if _known else _span + _paid,
            f"Price paid by {bid.value} and the hours paid" + ("" if _known else " (no mart has its limit)"),
        )
        if len(prices)
        else mo.md("No bid paid anything in this time.")
    )
    against_limit
    return


if __name__ == "__main__":
    app.run()
