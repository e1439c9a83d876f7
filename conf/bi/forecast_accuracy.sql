-- grain: one way to forecast demand, judged on weeks that it had not seen
-- scheme: whose segments were forecast
-- level: category or item
-- model: last_value, seasonal_naive (a year ago, or the like), or the one that demand_forecast is made by
-- is_used: whether demand_forecast is made by it
-- mae: mean absolute error, units a week
-- wape: sum of absolute errors by sum of units
-- mase: error by that of the seasonal-naive forecast inside the weeks that it had seen
-- forecasts: weeks of series that were forecast
-- first_origin: the first day from which was forecast
-- last_origin: the last
SELECT scheme, level, model, used AS is_used, mae, wape, mase, forecasts, first_origin, last_origin
FROM published.demand_accuracy
