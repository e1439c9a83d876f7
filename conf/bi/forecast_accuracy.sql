-- grain: one way to forecast demand, judged on weeks that it had not seen
-- scheme: whose segments were forecast
-- level: category or item
-- model: damped_trend_and_mean, last_value (the last week) or seasonal_naive (last year's)
-- is_used: whether demand_forecast is made by it: the one with the least wape
-- mae: mean absolute error, units a week
-- wape: sum of absolute errors by sum of units
-- mase: mean error by that of repeating each week in the weeks that it had seen
-- forecasts: weeks of series that were forecast
-- first_origin: the first day from which was forecast
-- last_origin: the last
SELECT scheme, level, model, used AS is_used, mae, wape, mase, forecasts, first_origin, last_origin
FROM published.demand_accuracy
