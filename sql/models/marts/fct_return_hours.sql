with

returns as (
    select * from {{ ref('fct_return_credits') }}
),

spans as (
    select * from {{ ref('int_reservation_spans') }}
    where is_as_of
),

reservation_hours as (
    select * from {{ ref('fct_reservation_hours') }}
),

left_spans as (
    select
        returns.instance_id,
        returns.reservation_id,
        returns.project_id,
        returns.returned_at,
        returns.return_rate_cents,
        spans.is_past,
        spans.from_at as span_from_at,
        greatest(spans.from_at, returns.returned_at) as from_at,
        spans.to_at,
        spans.quantity,
        spans.unit_price_cents
    from returns
    inner join spans
        on returns.reservation_id = spans.reservation_id
        and returns.returned_at < spans.to_at
),

touched_hours as (
    select
        *,
        {{ each_hour('from_at', 'to_at') }} as hour_at
    from left_spans
    {{ from_each_hour('from_at', 'to_at') }}
),

pieces as (
    select
        *,
        {{ us_between('greatest(from_at, hour_at)', 'least(to_at, ' ~ next_hour('hour_at') ~ ')') }} as piece_us
    from touched_hours
),

-- What stood unused is all that can have been given back: the time that other instances used was not.
bounded_pieces as (
    select
        pieces.*,
        case
            when pieces.is_past then coalesce(reservation_hours.unused_us, 0)
            else pieces.quantity * pieces.piece_us
        end as unused_us,
        coalesce(sum(pieces.piece_us) over (
            partition by
                pieces.reservation_id, pieces.hour_at, case when not pieces.is_past then pieces.span_from_at end
            order by pieces.returned_at, pieces.instance_id, pieces.span_from_at
            rows between unbounded preceding and 1 preceding
        ), 0) as given_back_before_us
    from pieces
    left join reservation_hours
        on pieces.reservation_id = reservation_hours.reservation_id
        and pieces.hour_at = reservation_hours.hour_at
),

given_back as (
    select
        *,
        cast(least(piece_us, unused_us - given_back_before_us) as bigint) as given_back_us
    from bounded_pieces
),

final as (
    select
        {{ span_key('instance_id', 'greatest(from_at, hour_at)') }} as return_hour_id,
        instance_id,
        reservation_id,
        project_id,
        returned_at,
        hour_at,
        is_past,
        given_back_us,
        unit_price_cents,
        {{ cent_us('unit_price_cents', 'given_back_us') }} as given_back_cost_cent_us,
        {{ cent_us('return_rate_cents', 'given_back_us') }} as return_credit_cent_us
    from given_back
    where given_back_us > 0
)

select * from final
